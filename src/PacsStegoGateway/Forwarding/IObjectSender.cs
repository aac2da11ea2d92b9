namespace PacsStegoGateway.Forwarding;

/// <summary>Sends objects to one destination, one after the other. Not thread-safe: each sender has its own connection.</summary>
public interface IObjectSender : IAsyncDisposable
{
    /// <summary>True while a connection is kept that ought to be released when nothing comes.</summary>
    bool IsOpen { get; }

    /// <summary>Sends one object. What the destination or the way to it does is an outcome, never an exception.</summary>
    /// <exception cref="IOException">The object's own bytes cannot be read.</exception>
    /// <exception cref="Dicom.DicomContentException">The object has to be written anew and is no data set.</exception>
    Task<SendOutcome> SendAsync(ObjectToSend instance, CancellationToken cancellationToken);

    /// <summary>Says good-bye; a peer that does not answer is left.</summary>
    Task ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>Drops the connection: the next object gets a new one.</summary>
    Task CloseAsync();
}
