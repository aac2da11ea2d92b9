using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Forwarding;

/// <summary>
/// For destinations that do not take an object's compressed transfer syntax: decodes it, proves that the original still comes
/// back from the result, and only then sends that. Nothing lossy: what cannot be proved is refused.
/// </summary>
public sealed class ProvenSender(IObjectSender inner, Reveal reveal, Spool spool) : IObjectSender
{
    public bool IsOpen => inner.IsOpen;

    public async Task<SendOutcome> SendAsync(ObjectToSend instance, CancellationToken cancellationToken)
    {
        SendOutcome first = await inner.SendAsync(instance, cancellationToken);
        if (first is not SendOutcome.OtherForm asked)
        {
            return first;
        }

        if (asked.Instead is not { } uncompressed || !instance.TransferSyntax.Encapsulated)
        {
            return new SendOutcome.Refused(asked.Detail);
        }

        if (instance.TransferSyntax.Lossy)
        {
            return new SendOutcome.Refused($"{asked.Detail} It is not decoded: {instance.TransferSyntax.Name} is not known to be lossless.");
        }

        (DecodedOriginal? decoded, string refusal) = Decode(instance, uncompressed);
        using (decoded)
        {
            if (decoded is null && refusal == DecodedOriginal.NoRoom)
            {
                // Or it is the object's own file that cannot be read, which would be said now.
                instance.DataSet.Pass(static _ => { });
                return new SendOutcome.Later($"{asked.Detail} {refusal}.");
            }

            if (decoded is null)
            {
                return new SendOutcome.Refused($"{asked.Detail} {refusal}.");
            }

            // Revealing computes: not on the threads that answer modalities.
            string? doubt = null;
            await WorkerThread.Run(() => doubt = Doubt(decoded.DataSet, uncompressed));
            if (doubt is not null)
            {
                return new SendOutcome.Refused($"{asked.Detail} Decoded, it would not give the original back ({doubt}).");
            }

            SendOutcome outcome = await inner.SendAsync(instance with { TransferSyntax = uncompressed, DataSet = decoded.DataSet }, cancellationToken);
            return outcome switch
            {
                SendOutcome.OtherForm again => new SendOutcome.Refused(again.Detail),
                SendOutcome.Stored stored => stored with { Detail = $"{stored.Detail} Sent as {uncompressed.Name}, and proved before." },
                _ => outcome,
            };
        }
    }

    public Task ReleaseAsync(CancellationToken cancellationToken) => inner.ReleaseAsync(cancellationToken);

    public Task CloseAsync() => inner.CloseAsync();

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private (DecodedOriginal? Decoded, string Refusal) Decode(ObjectToSend instance, TransferSyntax to) => DecodedOriginal.Open(
        new OutgoingObject(instance.DataSet, instance.TransferSyntax, instance.SOPClassUID, instance.SOPInstanceUID), to, spool);

    /// <summary>Why the original would not come back; null when it does, proved by its sealed hash.</summary>
    private string? Doubt(ByteSource dataSet, TransferSyntax transferSyntax)
    {
        try
        {
            return reveal(DataSetReader.Read(dataSet, transferSyntax), transferSyntax) switch
            {
                RevealOutcome.Revealed => null,
                RevealOutcome.NotRevealed not => not.Reason.ToString(),
                _ => nameof(RefusalReason.OriginalNotProven),
            };
        }
        catch (DicomContentException)
        {
            return nameof(RefusalReason.MalformedDataSet);
        }
    }
}
