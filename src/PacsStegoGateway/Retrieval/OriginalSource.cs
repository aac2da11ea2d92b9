using System.IO.Pipelines;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>The product's second verb; thread-safe. <c>Revealer.Reveal</c> is the one that ships.</summary>
public delegate RevealOutcome Reveal(DataSet stored, TransferSyntax transferSyntax);

/// <summary>From what the PACS or the spool holds to what goes out: the proved original of the row, or the protected object as it is.</summary>
public sealed class OriginalSource(Reveal reveal, Pseudonymizer pseudonyms, Spool spool, long maxBytes, Func<SymbolAlone> symbolAlone)
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

    /// <summary>The file of the protected object, while it is here.</summary>
    /// <returns>Null when it is not any more, or is damaged: then the PACS may have it.</returns>
    public ByteSource? FindInSpool(InstanceRow row)
    {
        try
        {
            return row.ProtectedFile is { } file ? spool.Open(file) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or SpoolFileException)
        {
            return null;
        }
    }

    /// <summary>The object with its frames decoded, or why not in words that fit an Error Comment.</summary>
    public (DecodedOriginal? Decoded, string Refusal) Decode(OutgoingObject compressed, TransferSyntax to) => DecodedOriginal.Open(compressed, to, spool);

    /// <summary>What goes out for an instance, reading from <paramref name="stored"/>: all of it is of the view, or nothing is given.</summary>
    public (OutgoingObject? Object, RefusalReason Reason, string Detail) Open(QueryView view, FoundInstance found, ByteSource stored, TransferSyntax transferSyntax)
    {
        try
        {
            return view.IsOriginal ? Reveal(found, stored, transferSyntax) : PassOn(found, stored, transferSyntax);
        }
        catch (DicomContentException)
        {
            return (null, RefusalReason.MalformedDataSet, "The PACS gave bytes that are no data set.");
        }
        catch (IOException)
        {
            return (null, RefusalReason.OutOfResources, "What was fetched cannot be read back from the spool.");
        }
    }

    /// <summary>What is not the complete, proved original of this very row is refused, but for what the policy says of the symbol alone.</summary>
    private (OutgoingObject? Object, RefusalReason Reason, string Detail) Reveal(FoundInstance found, ByteSource stored, TransferSyntax transferSyntax)
    {
        RevealOutcome outcome = reveal(DataSetReader.Read(stored, transferSyntax), transferSyntax);
        RevealedInstance? restored = (outcome as RevealOutcome.Revealed)?.Original ?? (outcome as RevealOutcome.RevealedFromSymbolAlone)?.Instance;
        if (restored is not null
            && (pseudonyms.MapUID(restored.SOPInstanceUID) != found.Row.SopUID || pseudonyms.MapUID(restored.StudyInstanceUID) != found.Row.StudyUID))
        {
            return (null, RefusalReason.OriginalNotProven, "The PACS gave another object than was asked for.");
        }

        return outcome switch
        {
            RevealOutcome.Revealed => (OutgoingObject.Of(restored!), RefusalReason.None, ""),
            RevealOutcome.RevealedFromSymbolAlone when symbolAlone() == SymbolAlone.Deliver =>
                (OutgoingObject.Of(restored!) with { IsFromSymbolAlone = true }, RefusalReason.None, ""),
            RevealOutcome.RevealedFromSymbolAlone => (null, RefusalReason.OriginalNotProven, "The Encrypted Attributes are gone: only pixels, patient and UIDs could be restored."),
            RevealOutcome.NotRevealed not => (null, not.Reason, not.Detail),
            _ => (null, RefusalReason.OriginalNotProven, ""),
        };
    }

    /// <summary>The protected object, byte for byte as it is held; anything else under its UID is not given out.</summary>
    private static (OutgoingObject? Object, RefusalReason Reason, string Detail) PassOn(FoundInstance found, ByteSource stored, TransferSyntax transferSyntax)
    {
        DataSet dataSet = DataSetReader.Read(stored, transferSyntax, new DicomReadOptions { LongestReadSource = 0 });
        return dataSet.GetText(Tags.SOPInstanceUID) == found.Row.SopUID && dataSet.GetText(Tags.StudyInstanceUID) == found.Row.StudyUID
            && dataSet.GetText(Tags.PatientIdentityRemoved) is null or "YES"
            ? (new OutgoingObject(stored, transferSyntax, found.Row.SopClassUID, found.Row.SopUID), RefusalReason.None, "")
            : (null, RefusalReason.OriginalNotProven, "The PACS gave another object than the protected one.");
    }
}
