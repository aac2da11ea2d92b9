using System.Net;
using Microsoft.AspNetCore.Connections;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Dimse;

/// <summary>From a connection that Kestrel accepted to the loop of its association.</summary>
public sealed class DimseConnectionHandler(
    DimseRooms rooms, AssociationLimits limits, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<DimseService> logger)
    : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection) => await AssociationLoop.RunAsync(
        connection.Transport, connection.RemoteEndPoint as IPEndPoint, new DimseService(rooms, logger), limits, time, lifetime.ApplicationStopping);
}
