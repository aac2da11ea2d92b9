using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commitment;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Dimse;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Security;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;
using KestrelListenOptions = Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions;

namespace PacsStegoGateway.Service;

/// <summary>The running gateway: everything composed in one place, started in order, stopped in reverse.</summary>
public sealed partial class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DatabaseRetry = TimeSpan.FromSeconds(2);

    private readonly WebApplication _application;
    private readonly GatewayStore _store;
    private readonly Spool _spool;
    private readonly SystemdNotifier _systemd;

    private GatewayHost(WebApplication application, GatewayStore store, Spool spool, SystemdNotifier systemd)
    {
        _application = application;
        _store = store;
        _spool = spool;
        _systemd = systemd;
    }

    /// <summary>Where DIMSE is listened for; the port is the real one when the configuration said 0.</summary>
    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Where DIMSE over TLS is listened for; null when it is not enabled.</summary>
    public IPEndPoint? TlsEndPoint { get; private set; }

    public GatewayStore Store => _store;

    /// <summary>Runs until told to stop: by the token (the command line turns SIGTERM and Ctrl+C into it) or the Windows service control manager.</summary>
    /// <returns>The exit code: 0.</returns>
    /// <param name="source">Where the options came from, to be read again when it changes; null: never.</param>
    public static async Task<int> RunAsync(
        GatewayOptions options, ConfigurationSource? source, ProtectionParts protection, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows()
            && WindowsService.TryRun((ready, stop) => RunAsync(options, source, protection, ready, stop), out int exitCode))
        {
            return exitCode;
        }

        return await RunAsync(options, source, protection, static () => { }, cancellationToken);
    }

    /// <summary>Starts; returns when associations are accepted.</summary>
    /// <param name="configureLogging">Null: to the console.</param>
    /// <param name="source">Where the options came from, to be read again when it changes; null: never.</param>
    /// <exception cref="IOException">The port is taken, or the spool belongs to another process.</exception>
    public static async Task<GatewayHost> StartAsync(
        GatewayOptions options, ProtectionParts protection, Action<ILoggingBuilder>? configureLogging, CancellationToken cancellationToken,
        ConfigurationSource? source = null)
    {
        // Flushing a file blocks a thread; with many senders the pool must not have to grow one by one.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(Math.Max(workers, 32), completions);

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        (configureLogging ?? LogToConsole)(builder.Logging);
        using ILoggerFactory early = LoggerFactory.Create(configureLogging ?? LogToConsole);
        ILogger logger = early.CreateLogger<GatewayHost>();

        var spool = new Spool(options.Spool, options.InDataFolder(options.Spool.Folder), protection.Keys, options.Node.Name);
        GatewayStore? store = null;
        try
        {
            store = await OpenStoreAsync(options, protection.Keys, logger, cancellationToken);
            LogSwept(logger, await Housekeeping.SweepAsync(spool, store, cancellationToken));
            await Housekeeping.CountAwaitingAsync(spool, store, cancellationToken);
            var systemd = SystemdNotifier.FromEnvironment();
            var live = new LiveConfiguration(options, words => LogCertificates(logger, words));
            GatewayTls tls = live.Current.Tls;
            Compose(builder, live, protection, store, spool, systemd);
            if (source is { File: not null })
            {
                builder.Services.AddSingleton(source).AddHostedService<ConfigurationReload>();
            }

            KestrelListenOptions? secure = null;
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => secure = Listen(kestrel, options.Listen, tls.Server));
            // Last: the server registers pools of its own, and takes the one that was registered last.
            builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ReceiveBuffers>();
            WebApplication application = builder.Build();
            var host = new GatewayHost(application, store, spool, systemd);
            await store.AppendAuditAsync(new AuditRecord(AuditEvent.ServiceStarted));
            await application.StartAsync(cancellationToken);
            host.EndPoint = ListenAddress.Of(application.Services.GetRequiredService<IServer>());
            host.TlsEndPoint = secure?.IPEndPoint;
            systemd.Ready();
            if (options.Listen.Plain)
            {
                LogListening(logger, host.EndPoint);
            }

            if (host.TlsEndPoint is { } over)
            {
                LogListeningTls(logger, over);
            }

            return host;
        }
        catch
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }

            spool.Dispose();
            throw;
        }
    }

    /// <summary>Lets what is under way finish, records the stop, closes everything. Rows and files stay as they are.</summary>
    public async ValueTask DisposeAsync()
    {
        _systemd.Stopping();
        using (var limit = new CancellationTokenSource(StopTimeout))
        {
            await _application.StopAsync(limit.Token);
        }

        try
        {
            await _store.AppendAuditAsync(new AuditRecord(AuditEvent.ServiceStopped));
            _application.Services.GetRequiredService<AuditCheckpointer>().Write();
            await _store.ReleaseLeaseAsync();
        }
        catch (StoreUnavailableException)
        {
            // Its absence from the trail, before the next start, tells that we stopped without a database.
        }

        await _application.DisposeAsync();
        await _store.DisposeAsync();
        _spool.Dispose();
    }

    private static async Task<int> RunAsync(
        GatewayOptions options, ConfigurationSource? source, ProtectionParts protection, Action ready, CancellationToken cancellationToken)
    {
        await using GatewayHost host = await StartAsync(options, protection, null, cancellationToken, source);
        ready();
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    /// <summary>Opens the database and takes our rows. Waits for a database that is away: a gateway that starts before its database must not give up.</summary>
    private static async Task<GatewayStore> OpenStoreAsync(GatewayOptions options, KeyRing keys, ILogger logger, CancellationToken cancellationToken)
    {
        string spool = SpoolIdentity.Make(options.InDataFolder(options.Spool.Folder), options.Node.Name);
        while (true)
        {
            GatewayStore? store = null;
            try
            {
                store = await GatewayStore.OpenAsync(StoreDialect.Of(options), keys, TimeProvider.System, cancellationToken, options.Node.Name);
                await store.JoinAsync(spool, TimeSpan.FromSeconds(options.Node.LeaseSeconds), TargetOf(options.Pacs));
                return store;
            }
            catch (Exception e)
            {
                if (store is not null)
                {
                    await store.DisposeAsync();
                }

                if (e is not StoreUnavailableException)
                {
                    throw;
                }

                LogWaiting(logger, e);
                await Task.Delay(DatabaseRetry, cancellationToken);
            }
        }
    }

    private static void Compose(
        WebApplicationBuilder builder, LiveConfiguration live, ProtectionParts protection, GatewayStore store, Spool spool, SystemdNotifier systemd)
    {
        (GatewayOptions options, GatewayTls tls) = (live.Current.Options, live.Current.Tls);
        IServiceCollection services = builder.Services;
        var received = new WorkSignal();
        var destinations = new DestinationSet(options, tls, protection.Reveal, spool, TimeProvider.System);
        var vault = new IdentityVault(protection.Keys);
        long maxBytes = (long)options.Spool.MaxObjectMegabytes << 20;
        services.AddSingleton(live).AddSingleton(store).AddSingleton(spool).AddSingleton(vault).AddSingleton(systemd)
            .AddSingleton(TimeProvider.System).AddSingleton(new AwaitedInstances())
            .AddSingleton(new QueryViews(vault))
            .AddSingleton(new AssociationDoor(() => live.Current.Options.Limits, TimeProvider.System))
            .AddSingleton<UserGate>().AddSingleton(new AssociationSlots(() => live.Current.Options)).AddSingleton(new PendingConnections(() => live.Current.Options.Listen));
        services.AddSingleton(p => new InstanceIntake(spool, store, vault, options.Spool,
            new WaitingRows(store, options.Work.MaxWaiting, TimeProvider.System), received, Log<InstanceIntake>(p)));
        services.AddSingleton(new QueryService(store, new IndexSearch(store), () => live.Current.Options.Retrieval));
        services.AddSingleton(p => new MoveService(store, new InstanceSearch(store),
            () => PacsFetcher.Of(live.Current.Options, live.Current.Tls, p.GetRequiredService<AwaitedInstances>()),
            new OriginalSource(protection.Reveal, vault.Pseudonyms, spool, maxBytes, () => live.Current.Options.Retrieval.SymbolAlone), live, Log<MoveService>(p)));
        var requested = new WorkSignal();
        var requestors = new OpenRequestors();
        services.AddSingleton(p => new CommitmentService(store, spool.Delete, vault, live, requestors, requested, TimeProvider.System, Log<CommitmentService>(p)));
        services.AddSingleton<DimseRooms>();
        services.AddSingleton<DimseConnectionHandler>();
        services.AddHostedService(p => new LeaseKeeper(store, options.InDataFolder(options.Spool.Folder), TargetOf(options.Pacs), options.Node,
            [received, .. destinations.All.Select(static d => d.Signal)], TimeProvider.System, Log<LeaseKeeper>(p)));
        // Made by the container, so that it is closed by it.
        services.AddSingleton(_ => destinations);
        services.AddHostedService(p => new ProtectionWorker(store, spool, protection.Protect, () => live.Current.Routes, p.GetRequiredService<DestinationSet>(),
            options.Work, received, TimeProvider.System, Log<ProtectionWorker>(p)));
        foreach (Destination destination in destinations.All)
        {
            // Not AddHostedService, which takes one of a kind.
            services.AddSingleton<IHostedService>(p => new Forwarder(store, spool, destination, options.Work, TimeProvider.System, Log<Forwarder>(p)));
        }

        services.AddHostedService(p => new CommitmentReporter(
            store, p.GetRequiredService<CommitmentService>(), vault, live, requestors, requested, TimeProvider.System, Log<CommitmentReporter>(p)));
        foreach (DestinationOptions destination in options.Destinations.Prepend(options.Pacs).Where(static d => d.StorageCommitment))
        {
            services.AddSingleton<IHostedService>(p => new CommitmentRequester(
                store, p.GetRequiredService<CommitmentService>(), live, destination, TimeProvider.System, Log<CommitmentRequester>(p)));
        }

        services.AddHostedService(p => new ForgottenDeliveries(store, destinations, TimeProvider.System, Log<ForgottenDeliveries>(p)));
        services.AddHostedService<Housekeeping>();
        services.AddSingleton(p => new AuditCheckpointer(store, protection.Keys, options, TimeProvider.System, Log<AuditCheckpointer>(p)));
        services.AddHostedService(static p => p.GetRequiredService<AuditCheckpointer>());
        if (options.Audit.Syslog.Enabled)
        {
            services.AddHostedService(p => new AuditForwarder(store, options.Audit.Syslog, tls.Syslog, TimeProvider.System, Log<AuditForwarder>(p)));
        }

        services.Configure<HostOptions>(static o => o.ShutdownTimeout = StopTimeout);
        builder.WebHost.UseSockets(static sockets =>
        {
            sockets.NoDelay = true;
            // An idle association keeps its buffer: asking first whether there is anything would double the calls of a busy one.
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        });
    }

    /// <returns>The port that speaks TLS, or null.</returns>
    private static KestrelListenOptions? Listen(KestrelServerOptions kestrel, Configuration.ListenOptions listen, TlsServer? tls)
    {
        // Associations and those that have none yet are counted by name and address; this is the last bound, for those
        // that are being closed. A connection above it is closed without a word.
        // Above what the options can be set to, because they change and this cannot.
        kestrel.Limits.MaxConcurrentConnections = 32_768;
        IPAddress address = IPAddress.Parse(listen.Address);
        if (listen.Plain)
        {
            kestrel.Listen(address, listen.Port, static l => l.UseConnectionHandler<DimseConnectionHandler>());
        }

        if (tls is null)
        {
            return null;
        }

        KestrelListenOptions? secure = null;
        kestrel.Listen(address, listen.Tls.Port, l =>
        {
            secure = l;
            l.Use(next => connection =>
            {
                connection.Features.Set(tls);
                return next(connection);
            }).UseConnectionHandler<DimseConnectionHandler>();
        });
        return secure;
    }

    private static ForwardTarget TargetOf(PacsOptions pacs) => new(pacs.KnownAs, pacs.StorageCommitment);

    private static ILogger<T> Log<T>(IServiceProvider provider) => provider.GetRequiredService<ILogger<T>>();

    private static void LogToConsole(ILoggingBuilder logging) => logging.SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddSimpleConsole(static o =>
        {
            o.SingleLine = true;
            o.UseUtcTimestamp = true;
            o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            o.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });

    [LoggerMessage(6001, LogLevel.Information, "Accepting associations on {EndPoint}.")]
    private static partial void LogListening(ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(6004, LogLevel.Information, "Accepting associations over TLS on {EndPoint}.")]
    private static partial void LogListeningTls(ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(6005, LogLevel.Warning, "{Words}")]
    private static partial void LogCertificates(ILogger logger, string words);

    [LoggerMessage(6002, LogLevel.Warning, "The database is away: waiting for it.")]
    private static partial void LogWaiting(ILogger logger, Exception exception);

    [LoggerMessage(6003, LogLevel.Information, "{Count} spool files without a row were removed.")]
    private static partial void LogSwept(ILogger logger, int count);
}
