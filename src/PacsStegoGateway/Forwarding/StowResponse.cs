using System.Net;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Forwarding;

/// <summary>
/// What a STOW-RS service answered about one instance (PS3.18 10.5.3, PS3.3 C.12.1.1.17). Only a response that names the
/// instance as stored counts as that: a log-in page answers 200 too.
/// </summary>
public static class StowResponse
{
    /// <summary>Longest response that is read, bytes: one about one instance has some hundreds.</summary>
    public const int MostBytes = 1 << 20;

    private static readonly DicomReadOptions Reading = new() { MaxItems = 1000, MaxElements = 10_000, MaxSequenceDepth = 8 };

    /// <param name="destination">Its name, for the details.</param>
    /// <param name="instance">What was sent, alone.</param>
    /// <param name="body">DICOM JSON, if it is; null when it was too long to be read.</param>
    /// <param name="retryAfter">Of its header.</param>
    public static SendOutcome Judge(string destination, ObjectToSend instance, HttpStatusCode status, ReadOnlyMemory<byte>? body, TimeSpan? retryAfter)
    {
        string answered = $"{destination} answered HTTP {(int)status}";
        if (status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
        {
            return new SendOutcome.Later($"{answered}.", retryAfter);
        }

        if (body is { } json && TryRead(json) is { } response && Find(destination, instance, response) is { } named)
        {
            return named is SendOutcome.Later later ? later with { NotBefore = retryAfter } : named;
        }

        return (int)status switch
        {
            >= 200 and <= 299 => new SendOutcome.Later($"{answered} without saying what became of the object.", retryAfter),
            415 when instance.TransferSyntax.Encapsulated => new SendOutcome.OtherForm($"{answered}.", TransferSyntax.ExplicitVRLittleEndian),
            // 408 Request Timeout, and every failure of a server but the two that say "never": Not Implemented, HTTP Version.
            408 or (>= 500 and not (501 or 505)) => new SendOutcome.Later($"{answered}.", retryAfter),
            >= 300 and <= 399 => new SendOutcome.Refused($"{answered}: it is elsewhere, correct the Url."),
            _ => new SendOutcome.Refused($"{answered}."),
        };
    }

    private static DataSet? TryRead(ReadOnlyMemory<byte> json)
    {
        try
        {
            return DicomJson.Read(json.Span, null, Reading);
        }
        catch (DicomContentException)
        {
            return null;
        }
    }

    private static SendOutcome? Find(string destination, ObjectToSend instance, DataSet response)
    {
        if (ItemOf(response, Tags.FailedSOPSequence, instance) is { } failed)
        {
            return StatusVerdict.OfFailure(destination, Code(failed, Tags.FailureReason), instance.TransferSyntax.Encapsulated);
        }

        if (ItemOf(response, Tags.ReferencedSOPSequence, instance) is { } stored)
        {
            return StatusVerdict.Of(destination, Code(stored, Tags.WarningReason));
        }

        // Failures without a UID: there was one instance only.
        return response.Find(Tags.OtherFailuresSequence)?.Items is [{ } other, ..]
            ? StatusVerdict.OfFailure(destination, Code(other, Tags.FailureReason), instance.TransferSyntax.Encapsulated)
            : null;
    }

    private static DataSet? ItemOf(DataSet response, Tag sequence, ObjectToSend instance) =>
        response.Find(sequence)?.Items?.FirstOrDefault(i => i.GetText(Tags.ReferencedSOPInstanceUID) == instance.SOPInstanceUID);

    private static DimseStatus Code(DataSet item, Tag tag) => new((ushort)(item.GetInt32(tag) ?? 0));
}
