using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Dimse;

/// <summary>From a connection that Kestrel accepted, through TLS where its port speaks it, to the loop of its association.</summary>
/// <remarks>Runs on the connection's own task: neither a handshake nor an association holds up who comes next.</remarks>
public sealed partial class DimseConnectionHandler(
    DimseRooms rooms, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<DimseService> logger)
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

        if (connection.Features.Get<TlsServer>() is not { } tls)
        {
            await ServeAsync(connection.Transport, remote, pending, null);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, lifetime.ApplicationStopping);
        switch (await tls.AuthenticateAsync(connection.Transport, ended.Token))
        {
            case TlsOutcome.Secured secured:
                await using (secured)
                {
                    LogSecured(logger, remote?.Address, secured.Protocol, secured.Peer?.Subject ?? "no certificate");
                    await ServeAsync(secured.Transport, remote, pending, secured.Peer);
                }

                break;
            case TlsOutcome.Refused refused:
                await RefuseAsync(remote, refused.Detail);
                break;
        }
    }

    private Task ServeAsync(IDuplexPipe transport, IPEndPoint? remote, PendingConnections.Entry pending, PeerCertificate? certificate) =>
        AssociationLoop.RunAsync(
            transport, remote, new DimseService(rooms, pending, remote, certificate, logger), LimitsOf(rooms.Configuration.Current.Options), time, lifetime.ApplicationStopping);

    private static AssociationLimits LimitsOf(GatewayOptions options) => AssociationLimits.Default with
    {
        MaxPduLength = (uint)options.Listen.MaxPduLength,
        // A little more, so that it is the intake that refuses and says why.
        MaxDataSetLength = ((long)options.Spool.MaxObjectMegabytes << 20) + (1 << 20),
        ArtimTimeout = TimeSpan.FromSeconds(options.Listen.ArtimTimeoutSeconds),
        DimseTimeout = TimeSpan.FromSeconds(options.Listen.DimseTimeoutSeconds),
        IdleTimeout = TimeSpan.FromSeconds(options.Listen.IdleTimeoutSeconds),
        PendingInterval = TimeSpan.FromSeconds(options.Retrieval.PendingSeconds),
    };

    private async Task RefuseAsync(IPEndPoint? remote, string detail)
    {
        LogTlsRefused(logger, remote?.Address, detail);
        try
        {
            await rooms.Store.AppendAuditAsync(new AuditRecord(AuditEvent.TlsRefused, AuditOutcome.SeriousFailure)
            {
                RemoteAddress = remote?.Address.ToString() ?? "",
                Detail = detail,
            });
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
        }
    }

    [LoggerMessage(1004, LogLevel.Warning, "Too many connections without an association: the oldest, from {Address}, is closed.")]
    private static partial void LogEvicted(ILogger logger, IPAddress address);

    [LoggerMessage(1006, LogLevel.Debug, "TLS with {Address}: {Protocol}, {Subject}.")]
    private static partial void LogSecured(ILogger logger, IPAddress? address, string protocol, string subject);

    [LoggerMessage(1007, LogLevel.Warning, "A connection from {Address} was closed. {Detail}")]
    private static partial void LogTlsRefused(ILogger logger, IPAddress? address, string detail);

    [LoggerMessage(1008, LogLevel.Error, "The database is away: the audit entry of a refused connection cannot be written.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);
}
