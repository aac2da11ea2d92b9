using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>The trail on its way to a syslog receiver: scripted ones, OpenSSL's and rsyslog.</summary>
public sealed class AuditForwarderTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly AuditBench _bench = new(postgres);
    private readonly TestAuthority _authority = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _bench.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void A_message_has_the_header_of_RFC_5424_and_a_frame_of_RFC_5425()
    {
        AuditRecord record = AuditBench.Full() with { Sequence = 3, At = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), Node = "n" };
        string message = Encoding.UTF8.GetString(SyslogMessage.Of(record));
        message.ShouldMatch("^<84>1 2023-11-14T22:13:20\\.123Z [!-~]+ psg [0-9]+ DICOM\\+RFC3881 - \ufeff<AuditMessage>.*</AuditMessage>$");
        AuditExportTests.Validate(message[message.IndexOf("<AuditMessage>", StringComparison.Ordinal)..]);
        string framed = Encoding.UTF8.GetString(SyslogMessage.Framed(record));
        framed.ShouldBe($"{Encoding.UTF8.GetByteCount(message)} {message}");
        Encoding.UTF8.GetString(SyslogMessage.Of(record with { Outcome = AuditOutcome.Success })).ShouldStartWith("<85>1 ");
        Encoding.UTF8.GetString(SyslogMessage.Of(record with { Outcome = AuditOutcome.MajorFailure })).ShouldStartWith("<82>1 ");
    }

    [Theory]
    [InlineData(SyslogTransport.Tcp, true)]
    [InlineData(SyslogTransport.Tcp, false)]
    [InlineData(SyslogTransport.Udp, false)]
    public async Task Every_entry_arrives_in_order_by_each_way(SyslogTransport transport, bool secure)
    {
        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        await using var receiver = new SyslogReceiver(transport, secure ? _authority.Server() : null);
        await AppendAsync(store, 1, 20);
        using AuditForwarder forwarder = Forwarder(store, Options(receiver.Port, transport, secure));
        await forwarder.StartAsync(Cancel);
        await Eventually.BecomesTrueAsync(() => receiver.Sequences.Length >= 20);
        await AppendAsync(store, 21, 5);
        await Eventually.BecomesTrueAsync(() => receiver.Sequences.Length >= 25);
        receiver.Sequences.ShouldBe(Enumerable.Range(1, 25).Select(static i => (long)i));
        await forwarder.StopAsync(Cancel);
        (await store.ForwardedAsync(AuditForwarder.Receiver, Cancel)).ShouldBe(25);
    }

    [Fact]
    public async Task A_receiver_that_is_away_and_one_that_breaks_off_in_the_middle_lose_nothing_and_change_no_order()
    {
        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        await AppendAsync(store, 1, 50);
        int port = SyslogReceiver.FreePort();
        using AuditForwarder forwarder = Forwarder(store, Options(port, SyslogTransport.Tcp, true));
        await forwarder.StartAsync(Cancel);

        // Nobody is there for a while; then somebody who takes a part and breaks off in a message, twice.
        await AppendAsync(store, 51, 10);
        var all = new List<long>();
        foreach (int bytes in (int[])[3000, 20_000])
        {
            await using var broken = new SyslogReceiver(SyslogTransport.Tcp, _authority.Server(), port, breakAfter: bytes);
            await Eventually.BecomesTrueAsync(() => broken.IsBroken);
            all.AddRange(broken.Sequences);
        }

        all.ShouldNotBeEmpty();
        await using var receiver = new SyslogReceiver(SyslogTransport.Tcp, _authority.Server(), port);
        await Eventually.BecomesTrueAsync(() => receiver.Sequences.Contains(60));
        await forwarder.StopAsync(Cancel);
        // What the broken ones had read comes again; nothing is left out, and within a connection nothing is out of order.
        receiver.Sequences.ShouldBe(Enumerable.Range(1, 60).Select(static i => (long)i));
        (await store.ForwardedAsync(AuditForwarder.Receiver, Cancel)).ShouldBe(60);
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_receiver_has_it()
    {
        StoreDialect dialect = await _bench.DialectAsync(DatabaseKind.Sqlite);
        await using var receiver = new SyslogReceiver(SyslogTransport.Tcp, null);
        for (int round = 0; round < 3; round++)
        {
            await using GatewayStore store = await AuditBench.OpenAsync(dialect);
            await AppendAsync(store, (round * 10) + 1, 10);
            using AuditForwarder forwarder = Forwarder(store, Options(receiver.Port, SyslogTransport.Tcp, false));
            await forwarder.StartAsync(Cancel);
            await Eventually.BecomesTrueAsync(() => receiver.Sequences.Length >= (round + 1) * 10);
            await forwarder.StopAsync(Cancel);
        }

        receiver.Sequences.ShouldBe(Enumerable.Range(1, 30).Select(static i => (long)i));
    }

    [Theory]
    [InlineData(DatabaseKind.PostgreSql)]
    public async Task Of_two_gateways_one_sends_and_the_other_takes_over_when_the_lease_is_over(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore one = await AuditBench.OpenAsync(dialect, "one");
        await using GatewayStore two = await AuditBench.OpenAsync(dialect, "two");
        (await one.LeaseForwardingAsync("x", TimeSpan.FromSeconds(30))).ShouldBe(0);
        (await two.LeaseForwardingAsync("x", TimeSpan.FromSeconds(30))).ShouldBeNull();
        await two.ConfirmForwardedAsync("x", 9);
        (await one.ForwardedAsync("x", Cancel)).ShouldBe(0);
        await one.ConfirmForwardedAsync("x", 5);
        (await one.LeaseForwardingAsync("x", TimeSpan.Zero)).ShouldBe(5);
        await Eventually.BecomesTrueAsync(async () => await two.LeaseForwardingAsync("x", TimeSpan.FromSeconds(30)) == 5);
        (await one.LeaseForwardingAsync("x", TimeSpan.FromSeconds(30))).ShouldBeNull();
        await one.ConfirmForwardedAsync("x", 7);
        (await two.ForwardedAsync("x", Cancel)).ShouldBe(5);
    }

    [Fact]
    public async Task A_receiver_that_cannot_prove_who_it_is_gets_nothing()
    {
        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        await AppendAsync(store, 1, 3);
        using var other = new TestAuthority("Other");
        await using var receiver = new SyslogReceiver(SyslogTransport.Tcp, other.Server());
        using AuditForwarder forwarder = Forwarder(store, Options(receiver.Port, SyslogTransport.Tcp, true));
        await forwarder.StartAsync(Cancel);
        await Eventually.BecomesTrueAsync(() => receiver.Connections >= 2);
        await forwarder.StopAsync(Cancel);
        receiver.Sequences.ShouldBeEmpty();
        (await store.ForwardedAsync(AuditForwarder.Receiver, Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task OpenSSL_reads_the_messages_over_TLS()
    {
        if (!File.Exists("/usr/bin/openssl"))
        {
            Assert.Skip("openssl is not installed.");
        }

        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        await AppendAsync(store, 1, 3);
        _authority.Server();
        int port = SyslogReceiver.FreePort();
        using Process server = Start("/usr/bin/openssl", "s_server", "-accept", $"{port}", "-cert", _authority.At("server.pem"), "-key", _authority.At("server.key"),
            "-CAfile", _authority.AuthoritiesPath, "-Verify", "1", "-verify_return_error", "-naccept", "1", "-quiet", "-rev");
        using AuditForwarder forwarder = Forwarder(store, Options(port, SyslogTransport.Tcp, true));
        await forwarder.StartAsync(Cancel);
        // -rev answers each line reversed; there are no lines in a frame, so what comes back tells nothing: that it is taken does.
        await Eventually.BecomesTrueAsync(async () => await store.ForwardedAsync(AuditForwarder.Receiver, Cancel) == 3);
        await forwarder.StopAsync(Cancel);
        await End(server);
    }

    [Fact]
    public async Task Rsyslog_takes_the_messages_over_TLS_as_they_are()
    {
        if (!File.Exists("/usr/sbin/rsyslogd") || !Directory.EnumerateFiles("/usr/lib", "lmnsd_gtls.so", SearchOption.AllDirectories).Any())
        {
            Assert.Skip("rsyslog with GnuTLS is not installed.");
        }

        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        await AppendAsync(store, 1, 40);
        _authority.Server();
        int port = SyslogReceiver.FreePort();
        string folder = Path.Combine(_bench.Folder, "rsyslog");
        Directory.CreateDirectory(folder);
        string configuration = Path.Combine(folder, "rsyslog.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            global(workDirectory="{{folder}}" maxMessageSize="64k" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{{_authority.AuthoritiesPath}}"
              defaultNetstreamDriverCertFile="{{_authority.At("server.pem")}}" defaultNetstreamDriverKeyFile="{{_authority.At("server.key")}}")
            module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
            input(type="imtcp" port="{{port}}" address="127.0.0.1")
            template(name="plain" type="string" string="%syslogfacility-text% %syslogseverity-text% %app-name% %msgid% %msg%\n")
            action(type="omfile" file="{{folder}}/received" template="plain" asyncWriting="off" flushOnTXEnd="on")

            """, Cancel);
        using Process server = Start("/usr/sbin/rsyslogd", "-n", "-f", configuration, "-i", Path.Combine(folder, "pid"));
        using AuditForwarder forwarder = Forwarder(store, Options(port, SyslogTransport.Tcp, true));
        await forwarder.StartAsync(Cancel);
        string received = Path.Combine(folder, "received");
        await Eventually.BecomesTrueAsync(() => File.Exists(received) && File.ReadAllText(received).Split("</AuditMessage>").Length > 40, 60);
        await forwarder.StopAsync(Cancel);
        await End(server);
        string[] lines = [.. File.ReadAllLines(received).Where(static l => l.Contains("DICOM+RFC3881", StringComparison.Ordinal))];
        lines.Length.ShouldBe(40);
        for (int i = 0; i < 40; i++)
        {
            lines[i].ShouldMatch("^authpriv warning psg DICOM\\+RFC3881 \ufeff?<AuditMessage>");
            AuditExportTests.Validate(lines[i][lines[i].IndexOf("<AuditMessage>", StringComparison.Ordinal)..]).ToString().ShouldContain($"urn:psg:audit:{i + 1}\"");
        }
    }

    private static Task AppendAsync(GatewayStore store, int first, int count) =>
        store.AppendAuditAsync([.. Enumerable.Range(first, count).Select(static i => AuditBench.Full() with { Detail = $"entry {i}" })]);

    private SyslogOptions Options(int port, SyslogTransport transport, bool secure)
    {
        _authority.Client();
        var options = new SyslogOptions { Enabled = true, Host = "127.0.0.1", Port = port, Transport = transport, TimeoutSeconds = 5, RetrySeconds = 1, ConfirmSeconds = 1 };
        options.Tls.Enabled = secure;
        options.Tls.AuthoritiesPath = _authority.AuthoritiesPath;
        options.Tls.CertificatePath = _authority.At("client.pem");
        options.Tls.KeyPath = _authority.At("client.key");
        return options;
    }

    private static AuditForwarder Forwarder(GatewayStore store, SyslogOptions options) =>
        new(store, options, options.Tls.Enabled ? options.Tls.Open(static _ => { }) : null, TimeProvider.System, NullLogger<AuditForwarder>.Instance);

    private static Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;

    private static async Task End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync(Cancel);
    }
}
