using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Forwarding;

/// <summary>C-STORE over an association that is kept while there is work.</summary>
public sealed class DimseSender(DestinationOptions destination, DestinationLink link) : IObjectSender
{
    public bool IsOpen => link.IsOpen;

    public async Task<SendOutcome> SendAsync(ObjectToSend instance, CancellationToken cancellationToken)
    {
        bool isSending = false;
        try
        {
            RequestorAssociation association = await link.OpenAsync(instance.SOPClassUID, instance.TransferSyntax.UID, cancellationToken);
            if (!SendingForm.Fits(association, instance.SOPClassUID, instance.TransferSyntax))
            {
                return new SendOutcome.OtherForm($"{destination.KnownAs} accepts no presentation context for this object.",
                    SendingForm.FindUncompressed(association, instance.SOPClassUID));
            }

            (TransferSyntax transferSyntax, ByteSource form) =
                SendingForm.Fit(association, instance.SOPClassUID, instance.TransferSyntax, instance.DataSet)!.Value;
            isSending = true;
            StoreResponse response = await association.StoreAsync(
                instance.SOPClassUID, instance.SOPInstanceUID, transferSyntax.UID, form, null, cancellationToken);
            return StatusVerdict.Of(destination.KnownAs, response.Status);
        }
        catch (AssociationException e) when (isSending)
        {
            // It may be this object that the destination cannot bear: let others go first.
            return new SendOutcome.Later($"The association with {destination.KnownAs} failed while sending: {e.Failure}.");
        }
        catch (AssociationException e) when (e is { Failure: AssociationFailure.Rejected, IsTransient: false })
        {
            return new SendOutcome.Refused($"{destination.KnownAs} rejected the association for good: {e.Rejection!.Source}, {e.Rejection.Reason}.");
        }
        catch (AssociationException e)
        {
            return new SendOutcome.Away($"{destination.KnownAs} cannot be reached: {e.Failure}.");
        }
    }

    public Task ReleaseAsync(CancellationToken cancellationToken) => link.ReleaseAsync(cancellationToken);

    public Task CloseAsync() => link.CloseAsync();

    public ValueTask DisposeAsync() => link.DisposeAsync();
}
