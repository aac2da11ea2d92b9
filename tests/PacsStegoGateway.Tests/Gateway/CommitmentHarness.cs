using Microsoft.Extensions.Logging.Abstractions;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commitment;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>
/// Storage commitment alone: real rows, real peers, a clock that the test moves. Rows of objects are put where forwarding
/// would have put them.
/// </summary>
public sealed class CommitmentHarness : IAsyncDisposable
{
    private readonly StoreDialect _dialect;
    private readonly WorkSignal _requested = new();
    private readonly OpenRequestors _requestors = new();
    private CommitmentReporter? _reporter;
    private CommitmentRequester? _requester;

    private CommitmentHarness(StoreDialect dialect)
    {
        _dialect = dialect;
        Options = new GatewayOptions();
        Options.Listen.AETitles.Add("PSG");
        Options.Callers.Add(new CallerOptions { AETitle = "CT1", Roles = [Role.Modality] });
        Options.Callers.Add(new CallerOptions { AETitle = "CT2", Roles = [Role.Modality] });
        Options.Pacs.AETitle = "PACS";
        Options.Pacs.Host = "127.0.0.1";
        Options.Pacs.Port = Pacs.Port;
        Options.Pacs.StorageCommitment = true;
        Options.Pacs.ReleaseAfterSeconds = 2;
        Options.Commitment.GatherSeconds = 1;
    }

    public GatewayOptions Options { get; }

    public ManualTime Time { get; } = new();

    public StoringPeer Pacs { get; } = new();

    public StoringPeer Modality { get; } = new();

    public IdentityVault Vault { get; } = new(SampleObjects.Keys);

    public GatewayStore Store { get; private set; } = null!;

    public CommitmentService Service { get; private set; } = null!;

    /// <summary>Files that were removed.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Deleted { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<CommitmentHarness> StartAsync(StoreDialect dialect, Action<CommitmentHarness>? prepare = null)
    {
        var harness = new CommitmentHarness(dialect);
        prepare?.Invoke(harness);
        await harness.StartAgainAsync();
        return harness;
    }

    public async Task StartAgainAsync()
    {
        var live = new LiveConfiguration(Options, static _ => { });
        Store = await GatewayStore.OpenAsync(_dialect, SampleObjects.Keys, Time, Cancel);
        Service = new CommitmentService(Store, Deleted.Enqueue, Vault, live, _requestors, _requested, Time, NullLogger<CommitmentService>.Instance);
        _reporter = new CommitmentReporter(Store, Service, Vault, live, _requestors, _requested, Time, NullLogger<CommitmentReporter>.Instance);
        _requester = new CommitmentRequester(Store, Service, live, Options.Pacs, Time, NullLogger<CommitmentRequester>.Instance);
        await _reporter.StartAsync(Cancel);
        await _requester.StartAsync(Cancel);
    }

    public async Task StopAsync()
    {
        await _reporter!.StopAsync(CancellationToken.None);
        await _requester!.StopAsync(CancellationToken.None);
        _reporter.Dispose();
        _requester.Dispose();
        await Store.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Pacs.DisposeAsync();
        await Modality.DisposeAsync();
    }

    /// <summary>Where reports for CT1 go from now on.</summary>
    public void GiveModalityAnAddress()
    {
        Options.Callers[0].Commitment.Host = "127.0.0.1";
        Options.Callers[0].Commitment.Port = Modality.Port;
    }

    /// <summary>Takes objects as far as a state: received, protected, or sent to the PACS.</summary>
    public async Task StoreAsync(InstanceState state, params int[] numbers)
    {
        foreach (int number in numbers)
        {
            await Store.ReceiveAsync(Row(number, (byte)number));
        }

        if (state != InstanceState.Received)
        {
            await ProtectAsync();
        }

        if (state == InstanceState.Forwarded)
        {
            await SendAsync();
        }
    }

    /// <summary>Every received object is protected.</summary>
    public async Task ProtectAsync()
    {
        foreach (InstanceRow row in await Store.DueAsync(InstanceState.Received, 100_000, Cancel))
        {
            (await Store.SetProtectedAsync(row, row.ReceivedFile.Replace("received", "protected", StringComparison.Ordinal), [new ForwardTarget("PACS", Options.Pacs.StorageCommitment)], null)).ShouldBeTrue();
        }
    }

    /// <summary>Every delivery that waits is sent.</summary>
    /// <returns>How many.</returns>
    public async Task<int> SendAsync()
    {
        IReadOnlyList<DeliveryRow> due = await Store.DueDeliveriesAsync("PACS", 100_000, Cancel);
        foreach (DeliveryRow delivery in due)
        {
            (await Store.SettleDeliverySentAsync(delivery, "0000H")).Changed.ShouldBeTrue();
        }

        return due.Count;
    }

    /// <summary>Lets time go on, a second each time that it is looked, until the condition holds.</summary>
    public Task UntilAsync(Func<Task<bool>> condition) => Eventually.BecomesTrueAsync(async () =>
    {
        if (await condition())
        {
            return true;
        }

        Time.Advance(TimeSpan.FromSeconds(1));
        return false;
    }, 60);

    public Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>A request of a modality, as the door hands it in.</summary>
    public Task<NormalizedResponse> RequestAsync(DataSet? information, string callingAE = "CT1", IEventReportTarget? requestor = null,
        ushort action = 1, string instance = SopClasses.StorageCommitmentInstance) => Service.RequestAsync(
        new ActionRequest
        {
            RequestedSOPClassUID = SopClasses.StorageCommitment,
            RequestedSOPInstanceUID = instance,
            MessageID = 1,
            ActionTypeID = action,
            Information = information,
            Association = AssociationOf(callingAE),
            Requestor = requestor ?? new Gone(),
        }, "127.0.0.1");

    public Task<NormalizedResponse> RequestAsync(string transaction, params int[] numbers) =>
        RequestAsync(new CommitmentMessage(transaction, [.. numbers.Select(Original)], []).ToInformation());

    /// <summary>A report of a destination, as the door hands it in.</summary>
    public Task<NormalizedResponse> ReportAsync(CommitmentMessage message, params string[] destinations) => Service.ReportAsync(
        new EventReportRequest
        {
            AffectedSOPClassUID = SopClasses.StorageCommitment,
            AffectedSOPInstanceUID = SopClasses.StorageCommitmentInstance,
            MessageID = 1,
            EventTypeID = message.EventTypeID,
            Information = message.ToInformation(),
            Association = AssociationOf("PACS"),
        }, destinations, "127.0.0.1");

    public async Task<IReadOnlyList<AuditRecord>> AuditAsync(params AuditEvent[] events) =>
        await Store.QueryAuditAsync(new AuditFilter { Events = events }, Cancel);

    public async Task<long> CountAsync(InstanceState state) => (await Store.CountAsync(Cancel)).GetValueOrDefault(state);

    public async Task<CommitRequestRow> RequestRowAsync() => (await Store.ListCommitRequestsAsync(all: true, 10, Cancel)).ShouldHaveSingleItem();

    /// <summary>The row of a received object.</summary>
    public static InstanceRow Row(int number, byte content) => new()
    {
        SopUID = PseudonymOf(number),
        StudyUID = "2.25.100",
        SeriesUID = "2.25.101",
        Patient = "P",
        SopClassUID = SopClasses.CTImageStorage,
        TransferSyntaxUID = TransferSyntax.ExplicitVRLittleEndian.UID,
        Essentials = [1],
        ContentHash = [content],
        CallingAE = "CT1",
        RemoteAddress = "127.0.0.1",
        ReceivedFile = $"received-{number}-{content}",
        ReceivedBytes = 10,
    };

    public static string PseudonymOf(int number) => SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(number));

    /// <summary>As the modality names it.</summary>
    public static SopReference Original(int number) => new(SopClasses.CTImageStorage, SampleObjects.SopUID(number));

    /// <summary>As the PACS names it.</summary>
    public static SopReference Sent(int number) => new(SopClasses.CTImageStorage, PseudonymOf(number));

    private static AssociationRequest AssociationOf(string callingAE) => new() { CalledAETitle = "PSG", CallingAETitle = callingAE, PresentationContexts = [] };

    private sealed class Gone : IEventReportTarget
    {
        public bool IsEstablished => false;

        public Task<NormalizedResponse> EventReportAsync(string sopClassUID, string sopInstanceUID, ushort eventTypeID, DataSet? information,
            CancellationToken cancellationToken) => throw new AssociationException(AssociationFailure.ConnectionLost, "Gone.");
    }
}
