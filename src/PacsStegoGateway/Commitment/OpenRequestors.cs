using System.Collections.Concurrent;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commitment;

/// <summary>The association on which each modality asked last: the way back to one that has no address in the configuration.</summary>
public sealed class OpenRequestors
{
    private readonly ConcurrentDictionary<string, IEventReportTarget> _last = new();

    public void Remember(string callingAETitle, IEventReportTarget requestor) => _last[callingAETitle] = requestor;

    /// <summary>Null when it is not open any more.</summary>
    public IEventReportTarget? Find(string callingAETitle)
    {
        if (!_last.TryGetValue(callingAETitle, out IEventReportTarget? requestor) || requestor.IsEstablished)
        {
            return requestor;
        }

        _last.TryRemove(KeyValuePair.Create(callingAETitle, requestor));
        return null;
    }
}
