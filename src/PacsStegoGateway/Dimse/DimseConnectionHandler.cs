using System.Net;
using Microsoft.AspNetCore.Connections;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Dimse;

/// <summary>From a connection that Kestrel accepted to the loop of its association.</summary>
public sealed partial class DimseConnectionHandler(
    DimseRooms rooms, AssociationLimits limits, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<DimseService> logger)
    : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var remote = connection.RemoteEndPoint as IPEndPoint;
        using PendingConnections.Entry pending = rooms.Pending.Enter(remote?.Address, connection.Abort, out IPAddress? evicted);
        if (evicted is not null)
        {
            LogEvicted(logger, evicted);
        }

        await AssociationLoop.RunAsync(
            connection.Transport, remote, new DimseService(rooms, pending, remote, logger), limits, time, lifetime.ApplicationStopping);
    }

    [LoggerMessage(1004, LogLevel.Warning, "Too many connections without an association: the oldest, from {Address}, is closed.")]
    private static partial void LogEvicted(ILogger logger, IPAddress address);
}
