using System.IO.Pipelines;
using System.Net;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>The acceptor's side of one association, from the connection to its end.</summary>
public static class AssociationLoop
{
    /// <summary>
    /// Serves one connection. Returns when the association is over and <see cref="IDimseServiceProvider.EndedAsync"/> has
    /// returned; both pipes are completed then, and the host closes the connection.
    /// </summary>
    /// <param name="transport">The bytes of the connection, TLS already taken off.</param>
    /// <param name="remote">The other end, handed on in <see cref="AssociationRequest.RemoteEndPoint"/>.</param>
    /// <param name="shutdown">Ends gracefully: what is under way is finished and answered, then A-RELEASE-RQ is sent.
    /// To end at once, close the connection.</param>
    /// <remarks>Throws only what <see cref="IDimseServiceProvider.EndedAsync"/> or <see cref="IDimseServiceProvider.Faulted"/>
    /// throws: everything else becomes an argument of one of the two.</remarks>
    public static Task RunAsync(IDuplexPipe transport, IPEndPoint? remote, IDimseServiceProvider provider,
        AssociationLimits limits, TimeProvider time, CancellationToken shutdown) =>
        new AcceptorSession(transport, remote, provider, limits, time, shutdown).RunAsync();
}
