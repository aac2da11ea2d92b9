using System.Buffers;
using System.IO.Pipelines;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>The product's second verb; thread-safe. <c>Revealer.Reveal</c> is the one that ships.</summary>
public delegate RevealOutcome Reveal(DataSet stored);

/// <summary>From a protected object to the proved original of the row it belongs to.</summary>
public sealed class OriginalSource(Reveal reveal, Spool spool, long maxBytes)
{
    /// <summary>Reads a data set that is arriving, bounded.</summary>
    /// <exception cref="IOException">It ended early or is too large.</exception>
    public async Task<byte[]> ReadAsync(PipeReader dataSet, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>(1 << 20);
        while (true)
        {
            ReadResult read = await dataSet.ReadAsync(cancellationToken);
            foreach (ReadOnlyMemory<byte> segment in read.Buffer)
            {
                if (bytes.WrittenCount + segment.Length > maxBytes)
                {
                    throw new IOException("The object is larger than is accepted.");
                }

                bytes.Write(segment.Span);
            }

            dataSet.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return bytes.WrittenSpan.ToArray();
            }
        }
    }

    /// <summary>The protected data set that has not left yet.</summary>
    public ReadOnlyMemory<byte> ReadFromSpool(InstanceRow row) => Part10.DataSetOf(spool.ReadAll(row.ProtectedFile!));

    /// <summary>Reveals. What is not the complete, proved original of this very row is refused.</summary>
    public (RevealedInstance? Original, RefusalReason Reason, string Detail) Open(FoundInstance found, ReadOnlyMemory<byte> stored, TransferSyntax transferSyntax)
    {
        try
        {
            return reveal(DataSetReader.Read(stored, transferSyntax)) switch
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
