using System.IO.Compression;
using System.Text;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;

namespace PacsStegoGateway.Commitment;

/// <summary>
/// What a modality asked, as it lies in our database until it has its answer: original UIDs, so compressed and sealed. The
/// failures stand beside it by their places in the list and say nothing about whom they concern.
/// </summary>
public static class SealedRequest
{
    /// <summary>A hundred thousand references of 130 bytes.</summary>
    private const int MaxBytes = 16 << 20;

    public static byte[] Close(IdentityVault vault, CommitmentMessage request)
    {
        using var packed = new MemoryStream();
        using (var deflated = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        using (var text = new StreamWriter(deflated, Encoding.ASCII))
        {
            text.Write(request.TransactionUID);
            text.Write('\n');
            foreach (SopReference reference in request.References)
            {
                text.Write(reference.SopClassUID);
                text.Write(' ');
                text.Write(reference.SopInstanceUID);
                text.Write('\n');
            }
        }

        return vault.SealBytes(packed.GetBuffer().AsSpan(0, (int)packed.Length));
    }

    /// <returns>Null when it cannot be opened: its key is gone or the bytes were changed.</returns>
    public static CommitmentMessage? Open(IdentityVault vault, ReadOnlySpan<byte> closed)
    {
        if (vault.OpenBytes(closed) is not { } packed)
        {
            return null;
        }

        using var deflated = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var text = new StreamReader(deflated, Encoding.ASCII);
        string transaction = text.ReadLine() ?? "";
        var references = new List<SopReference>();
        for (int bytes = 0; bytes < MaxBytes && text.ReadLine() is { } line; bytes += line.Length)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            references.Add(new SopReference(line[..space], line[(space + 1)..]));
        }

        return new CommitmentMessage(transaction, references, []);
    }

    /// <summary>Each failure as its place in the list and its reason, six bytes.</summary>
    public static byte[] Pack(IReadOnlyList<(int Place, DimseStatus Reason)> failures)
    {
        using var bytes = new MemoryStream(failures.Count * 6);
        using var writer = new BinaryWriter(bytes);
        foreach ((int place, DimseStatus reason) in failures)
        {
            writer.Write(place);
            writer.Write(reason.Code);
        }

        return bytes.ToArray();
    }

    /// <summary>The result for the modality: the request with its failures taken out of its references.</summary>
    public static CommitmentMessage ResultOf(CommitmentMessage request, byte[] packedFailures)
    {
        var reasons = new Dictionary<int, DimseStatus>();
        using var reader = new BinaryReader(new MemoryStream(packedFailures));
        while (reader.BaseStream.Position < packedFailures.Length)
        {
            int place = reader.ReadInt32();
            reasons[place] = new DimseStatus(reader.ReadUInt16());
        }

        return request with
        {
            References = [.. request.References.Where((_, place) => !reasons.ContainsKey(place))],
            Failures = [.. reasons.OrderBy(static r => r.Key).Select(r => new FailedReference(request.References[r.Key], r.Value))],
        };
    }
}
