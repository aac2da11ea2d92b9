using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A whole gateway in this process, with a PACS beside it; only protecting is a stand-in.</summary>
public sealed class GatewayHarness : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-gateway-").FullName;
    private GatewayHost? _host;

    public GatewayHarness()
    {
        Options = new GatewayOptions { DataFolder = _folder };
        Options.Listen.Address = "127.0.0.1";
        Options.Listen.Port = 0;
        Options.Listen.AETitles.Add("PSG");
        Options.Callers.Add(new CallerOptions { AETitle = "CT1", Roles = [Role.Modality] });
        Options.Callers.Add(new CallerOptions { AETitle = "READER", Roles = [Role.Reader] });
        Options.Callers.Add(new CallerOptions { AETitle = "CLINIC", Roles = [Role.Reidentifier] });
        Options.Callers.Add(new CallerOptions { AETitle = "FAR", Roles = [Role.Modality], Addresses = ["10.9.0.0/16"] });
        Options.Pacs.AETitle = "PACS";
        Options.Pacs.Host = "127.0.0.1";
        Options.Pacs.Port = Pacs.Port;
        Options.Pacs.Retrieve = RetrieveMethod.Move;
        Options.Spool.MinFreeMegabytes = 0;
        Options.Work.RetryFirstSeconds = 1;
        Options.Work.RetryMaxSeconds = 1;
        Options.Work.Workers = 2;
    }

    public GatewayOptions Options { get; }

    public StoringPeer Pacs { get; } = new();

    public ProtectionParts Parts { get; set; } = SampleObjects.Parts;

    /// <summary>What the gateway watches; null: nothing.</summary>
    public ConfigurationSource? Source { get; set; }

    public LogLevel LeastLogged { get; set; } = LogLevel.Debug;

    public ConcurrentQueue<string> LogLines { get; } = new();

    public GatewayHost Host => _host ?? throw new InvalidOperationException("Not started.");

    public string DatabaseFile => Options.InDataFolder(Options.Database.Path);

    public string SpoolFolder => Options.InDataFolder(Options.Spool.Folder);

    /// <summary>Files of objects; what a spool keeps about itself is not among them.</summary>
    public IReadOnlyList<string> SpoolFiles =>
        [.. Directory.GetFiles(SpoolFolder, "*", SearchOption.AllDirectories).Where(static f => Guid.TryParseExact(Path.GetFileName(f), "N", out _))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<GatewayHarness> StartAsync(Action<GatewayHarness>? prepare = null)
    {
        var harness = new GatewayHarness();
        prepare?.Invoke(harness);
        await harness.StartAgainAsync();
        return harness;
    }

    public async Task StartAgainAsync()
    {
        _host = await GatewayHost.StartAsync(Options, Parts, logging =>
        {
            logging.SetMinimumLevel(LeastLogged);
            logging.AddProvider(new Collector(LogLines));
        }, Cancel, Source);
        Pacs.MoveTo = Peer("PACS");
    }

    public async Task StopAsync()
    {
        await Host.DisposeAsync();
        _host = null;
    }

    public PeerAddress Peer(string callingAE, string calledAE = "PSG") => new("127.0.0.1", Host.EndPoint.Port, calledAE, callingAE);

    public Task<RequestorAssociation> ConnectAsync(string callingAE, string calledAE = "PSG", UserIdentity? user = null) => RequestorAssociation.ConnectAsync(
        Peer(callingAE, calledAE) with { UserIdentity = user },
        [
            new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.StudyRootFind, TransferSyntax.ExplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.PatientRootFind, TransferSyntax.ExplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.StudyRootMove, TransferSyntax.ExplicitVRLittleEndian.UID),
        ],
        AssociationLimits.Default, Cancel);

    /// <summary>Sends objects as a modality does; returns what was sent, by number.</summary>
    public async Task<IReadOnlyList<byte[]>> SendAsync(params int[] numbers)
    {
        await using RequestorAssociation association = await ConnectAsync("CT1");
        var sent = new List<byte[]>();
        foreach (int number in numbers)
        {
            sent.Add(SampleObjects.Encode(SampleObjects.Create(number)));
            StoreResponse response = await association.StoreAsync(SopClasses.CTImageStorage, SampleObjects.SopUID(number),
                TransferSyntax.ExplicitVRLittleEndian.UID, new ReadOnlySequence<byte>(sent[^1]), null, Cancel);
            response.Status.ShouldBe(DimseStatus.Success);
        }

        await association.ReleaseAsync(Cancel);
        return sent;
    }

    public async Task<long> CountAsync(InstanceState state) =>
        (await Host.Store.CountAsync(Cancel)).GetValueOrDefault(state);

    public Task UntilAsync(InstanceState state, long count) =>
        Eventually.BecomesTrueAsync(async () => await CountAsync(state) == count, 60);

    public async Task<IReadOnlyList<AuditEvent>> EventsAsync(AuditFilter? filter = null) =>
        [.. (await Host.Store.QueryAuditAsync(filter ?? new AuditFilter(), Cancel)).Select(static r => r.Event)];

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await StopAsync();
        }

        await Pacs.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Collector(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
