using System.IO.Pipelines;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>The product's second verb; thread-safe. <c>Revealer.Reveal</c> is the one that ships.</summary>
public delegate RevealOutcome Reveal(DataSet stored, TransferSyntax transferSyntax);

/// <summary>From a protected object to the proved original of the row it belongs to.</summary>
public sealed class OriginalSource(Reveal reveal, Spool spool, long maxBytes)
{
    /// <summary>What of an arriving object is held in memory before it goes to the spool, bytes.</summary>
    private const int MostInMemory = 1 << 20;

    /// <summary>Takes a data set that is arriving, bounded.</summary>
    /// <exception cref="IOException">It ended early or is too large, or the spool is full.</exception>
    public async Task<FetchedObject> FetchAsync(PipeReader dataSet, CancellationToken cancellationToken)
    {
        var fetched = new FetchedObject();
        try
        {
            while (true)
            {
                ReadResult read = await dataSet.ReadAsync(cancellationToken);
                if (fetched.Length + read.Buffer.Length > maxBytes)
                {
                    throw new IOException("The object is larger than is accepted.");
                }

                if (fetched.Length + read.Buffer.Length > MostInMemory && !spool.HasRoomFor(MostInMemory))
                {
                    throw new IOException("The spool is full.");
                }

                foreach (ReadOnlyMemory<byte> segment in read.Buffer)
                {
                    fetched.Append(segment.Span, spool, MostInMemory);
                }

                dataSet.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return fetched;
                }
            }
        }
        catch
        {
            fetched.Dispose();
            throw;
        }
    }

    /// <summary>The file of the protected object that has not left yet.</summary>
    /// <exception cref="FileNotFoundException">It has left.</exception>
    public ByteSource OpenInSpool(InstanceRow row) => spool.Open(row.ProtectedFile!);

    /// <summary>The original with its frames decoded, or why not in words that fit an Error Comment.</summary>
    public (DecodedOriginal? Decoded, string Refusal) Decode(RevealedInstance original, TransferSyntax to) => DecodedOriginal.Open(original, to, spool);

    /// <summary>Reveals; the original reads from <paramref name="stored"/>. What is not the complete, proved original of this very row is refused.</summary>
    public (RevealedInstance? Original, RefusalReason Reason, string Detail) Open(FoundInstance found, ByteSource stored, TransferSyntax transferSyntax)
    {
        try
        {
            return reveal(DataSetReader.Read(stored, transferSyntax), transferSyntax) switch
            {
                RevealOutcome.Revealed revealed when found.Identity is null || revealed.Original.SOPInstanceUID == found.OriginalSopInstanceUID =>
                    (revealed.Original, RefusalReason.None, ""),
                RevealOutcome.Revealed => (null, RefusalReason.OriginalNotProven, "The PACS gave another object than was asked for."),
                RevealOutcome.RevealedFromSymbolAlone => (null, RefusalReason.OriginalNotProven, "The Encrypted Attributes are gone: only patient and UIDs could be restored."),
                RevealOutcome.NotRevealed not => (null, not.Reason, not.Detail),
                _ => (null, RefusalReason.OriginalNotProven, ""),
            };
        }
        catch (DicomContentException)
        {
            return (null, RefusalReason.MalformedDataSet, "The PACS gave bytes that are no data set.");
        }
    }
}
