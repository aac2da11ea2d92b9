using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>STOW-RS against a service that answers what it likes.</summary>
public sealed class StowSenderTests
{
    private static readonly string Uid = SampleObjects.SopUID(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_object_arrives_as_one_part_that_is_a_file()
    {
        await using StowServer server = await StowServer.StartAsync();
        (await SendAsync(server, static d => d.BearerToken = "t0ken")).ShouldBeOfType<SendOutcome.Stored>();
        (string path, string? authorization, string type, string accept, byte[] body) = server.Requests.ShouldHaveSingleItem();
        path.ShouldBe("POST /dicom-web/studies");
        authorization.ShouldBe("Bearer t0ken");
        type.ShouldStartWith("multipart/related; type=\"application/dicom\"; boundary=");
        accept.ShouldBe("application/dicom+json");
        DicomFile file = StowServer.FileIn(body);
        file.TransferSyntax.ShouldBe(TransferSyntax.ExplicitVRLittleEndian);
        DataSetWriter.ToArray(file.DataSet, file.TransferSyntax).ShouldBe(SampleObjects.Encode(SampleObjects.Create(1)));
    }

    [Fact]
    public async Task User_and_password_go_as_basic_and_an_address_with_studies_is_taken_as_it_is()
    {
        await using StowServer server = await StowServer.StartAsync();
        (await SendAsync(server, d => (d.Url, d.UserName, d.Password) = (server.Url + "/studies/", "psg", "s3cret"))).ShouldBeOfType<SendOutcome.Stored>();
        server.Requests.Single().Path.ShouldBe("POST /dicom-web/studies");
        server.Requests.Single().Authorization.ShouldBe("Basic cHNnOnMzY3JldA==");
    }

    [Theory]
    [InlineData(200, null, typeof(SendOutcome.Later))] // A page that says nothing of the object, such as a log-in.
    [InlineData(202, null, typeof(SendOutcome.Later))]
    [InlineData(204, null, typeof(SendOutcome.Later))]
    [InlineData(302, null, typeof(SendOutcome.Refused))]
    [InlineData(400, null, typeof(SendOutcome.Refused))]
    [InlineData(401, null, typeof(SendOutcome.Refused))]
    [InlineData(403, null, typeof(SendOutcome.Refused))]
    [InlineData(408, null, typeof(SendOutcome.Later))]
    [InlineData(409, null, typeof(SendOutcome.Refused))]
    [InlineData(413, null, typeof(SendOutcome.Refused))]
    [InlineData(415, null, typeof(SendOutcome.Refused))]
    [InlineData(429, null, typeof(SendOutcome.Later))]
    [InlineData(500, null, typeof(SendOutcome.Later))]
    [InlineData(501, null, typeof(SendOutcome.Refused))]
    [InlineData(503, null, typeof(SendOutcome.Later))]
    [InlineData(507, null, typeof(SendOutcome.Later))]
    [InlineData(409, 0xA700, typeof(SendOutcome.Later))]
    [InlineData(409, 0xA900, typeof(SendOutcome.Refused))]
    [InlineData(409, 0xC000, typeof(SendOutcome.Refused))]
    [InlineData(409, 0x0122, typeof(SendOutcome.Refused))]
    [InlineData(409, 0x0111, typeof(SendOutcome.Stored))] // Duplicate: it has it already.
    [InlineData(409, 0xB00E, typeof(SendOutcome.Stored))]
    [InlineData(200, 0xA700, typeof(SendOutcome.Later))] // Whatever the status says: it is named among the failed.
    [InlineData(200, 0x0110, typeof(SendOutcome.Refused))]
    public async Task Status_and_failure_reason_decide(int status, int? reason, Type outcome)
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return reason is { } code ? StowServer.FailedAsync(context, Uid, code, status) : Task.CompletedTask;
        };
        SendOutcome got = await SendAsync(server);
        got.ShouldBeOfType(outcome);
        got.Detail.ShouldContain(reason is { } known ? $"{known:X4}H" : $"HTTP {status}");
    }

    [Fact]
    public async Task Stored_with_a_warning_is_stored_unless_elements_were_discarded()
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Answer = static (context, _) => StowServer.StoredWithWarningAsync(context, Uid, 0xB000);
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Stored>().Detail.ShouldContain("B000H");
        server.Answer = static (context, _) => StowServer.StoredWithWarningAsync(context, Uid, 0xB006);
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain("discarded elements");
    }

    [Fact]
    public async Task A_list_that_names_another_object_says_nothing_of_ours()
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Answer = static (context, _) => StowServer.StoredAsync(context, "1.2.3.4");
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("")]
    [InlineData("{\"00081199\":{\"vr\":\"SQ\",\"Value\":\"x\"}}")]
    [InlineData("{\"00081199\":{\"vr\":\"LO\",\"Value\":[\"x\"]}}")]
    public async Task Garbage_is_no_success(string body)
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Answer = (context, _) => StowServer.JsonAsync(context, 200, body);
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>().Detail.ShouldContain("without saying");
    }

    [Fact]
    public async Task A_response_without_end_is_not_read_to_its_end()
    {
        await using StowServer server = await StowServer.StartAsync();
        long written = 0;
        server.Answer = async (context, _) =>
        {
            context.Response.ContentType = "application/dicom+json";
            byte[] spaces = new byte[1 << 16];
            spaces.AsSpan().Fill((byte)' ');
            // What is written after the client has gone is thrown away, and says so.
            while (written < 1L << 30 && !(await context.Response.BodyWriter.WriteAsync(spaces, context.RequestAborted)).IsCompleted)
            {
                Interlocked.Add(ref written, spaces.Length);
            }
        };
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>();
        Interlocked.Read(ref written).ShouldBeLessThan(64 << 20);
    }

    [Fact]
    public async Task Retry_after_is_heard_in_seconds_and_as_a_date()
    {
        await using StowServer server = await StowServer.StartAsync();
        string after = "77";
        server.Answer = (context, _) =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (503, after);
            return Task.CompletedTask;
        };
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>().NotBefore.ShouldBe(TimeSpan.FromSeconds(77));
        after = DateTimeOffset.UtcNow.AddMinutes(10).ToString("R");
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>().NotBefore!.Value.TotalMinutes.ShouldBe(10, 1);
        after = "soon";
        (await SendAsync(server)).ShouldBeOfType<SendOutcome.Later>().NotBefore.ShouldBeNull();
    }

    [Fact]
    public async Task A_connection_that_is_cut_while_the_object_flows_is_tried_again()
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Begin = static async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[1000], Cancel);
            context.Abort();
            return false;
        };
        (await SendAsync(server, pixelBytes: 4 << 20)).ShouldBeOfType<SendOutcome.Later>().Detail.ShouldContain("failed while sending");
    }

    [Fact]
    public async Task A_service_that_takes_nothing_is_left_and_one_that_is_slow_is_waited_for()
    {
        await using StowServer server = await StowServer.StartAsync();
        var stopped = new TaskCompletionSource();
        server.Begin = async context =>
        {
            await stopped.Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        };
        long started = Stopwatch.GetTimestamp();
        (await SendAsync(server, static d => d.AnswerTimeoutSeconds = 1, 16 << 20)).ShouldBeOfType<SendOutcome.Later>().Detail.ShouldContain("said nothing for too long");
        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeLessThan(30);

        // Five times as long as the patience, but never silent for so long.
        server.Begin = static async context =>
        {
            byte[] some = new byte[2 << 20];
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
            for (int i = 0; i < 8; i++)
            {
                await context.Request.Body.ReadAtLeastAsync(some, some.Length, throwOnEndOfStream: false, context.RequestAborted);
                await tick.WaitForNextTickAsync(context.RequestAborted);
            }

            return true;
        };
        server.Answer = static (context, _) => StowServer.StoredAsync(context, Uid);
        (await SendAsync(server, static d => d.AnswerTimeoutSeconds = 1, 20 << 20)).ShouldBeOfType<SendOutcome.Stored>();
    }

    [Fact]
    public async Task A_large_object_is_not_sent_to_a_service_that_says_no_first()
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Begin = static context =>
        {
            context.Response.StatusCode = 401;
            return Task.FromResult(false);
        };
        var counted = new CountedSource(SampleObjects.Encode(SampleObjects.Create(1, 32 << 20)));
        using var service = new StowService(DestinationAt(server.Url), null, null);
        await using var sender = new StowSender(service);
        (await sender.SendAsync(Instance() with { DataSet = counted }, Cancel)).ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain("401");
        counted.BytesRead.ShouldBe(0);
    }

    [Fact]
    public async Task An_object_that_cannot_be_read_is_our_own_trouble()
    {
        await using StowServer server = await StowServer.StartAsync();
        using var service = new StowService(DestinationAt(server.Url), null, null);
        await using var sender = new StowSender(service);
        await Should.ThrowAsync<IOException>(() => sender.SendAsync(Instance() with { DataSet = new BrokenSource() }, Cancel));
    }

    [Fact]
    public async Task Where_nobody_listens_the_object_is_not_to_blame() =>
        (await SendAsync(DestinationAt($"http://127.0.0.1:{Dcmtk.FreePort()}/dicom-web"))).ShouldBeOfType<SendOutcome.Away>();

    [Fact]
    public async Task A_compressed_object_that_is_not_taken_is_asked_for_in_another_form_once()
    {
        await using StowServer server = await StowServer.StartAsync();
        server.Answer = static (context, _) => StowServer.FailedAsync(context, Uid, 0xC122);
        using var service = new StowService(DestinationAt(server.Url), null, null);
        await using var sender = new StowSender(service);
        ObjectToSend compressed = Instance() with { TransferSyntax = TransferSyntax.Of("1.2.840.10008.1.2.5") };
        for (int i = 0; i < 3; i++)
        {
            (await sender.SendAsync(compressed, Cancel)).ShouldBeOfType<SendOutcome.OtherForm>().Instead.ShouldBe(TransferSyntax.ExplicitVRLittleEndian);
        }

        server.Requests.Count.ShouldBe(1);
        (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Refused>();
    }

    [Fact]
    public async Task Over_TLS_both_sides_prove_who_they_are()
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority("Another");
        authority.Server();
        authority.Client();
        using var certificate = X509Certificate2.CreateFromPemFile(authority.At("server.pem"), authority.At("server.key"));
        await using StowServer server = await StowServer.StartAsync(X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null));
        server.Url.ShouldStartWith("https://127.0.0.1");
        DestinationOptions trusted = DestinationAt(server.Url);
        trusted.Tls.AuthoritiesPath = authority.AuthoritiesPath;
        trusted.Tls.CertificatePath = authority.At("client.pem");
        trusted.Tls.KeyPath = authority.At("client.key");
        (await SendAsync(trusted)).ShouldBeOfType<SendOutcome.Stored>();

        trusted.Tls.AuthoritiesPath = other.AuthoritiesPath;
        (await SendAsync(trusted)).ShouldBeOfType<SendOutcome.Away>().Detail.ShouldContain("TLS handshake");
        trusted.Tls.Verify = TlsVerification.None;
        (await SendAsync(trusted)).ShouldBeOfType<SendOutcome.Stored>();
        trusted.Tls.CertificatePath = "";
        trusted.Tls.KeyPath = "";
        (await SendAsync(trusted)).ShouldNotBeOfType<SendOutcome.Stored>();
        server.Requests.Count.ShouldBe(2);
    }

    private static Task<SendOutcome> SendAsync(StowServer server, Action<DestinationOptions>? set = null, int pixelBytes = 4096)
    {
        DestinationOptions destination = DestinationAt(server.Url);
        set?.Invoke(destination);
        return SendAsync(destination, pixelBytes);
    }

    private static async Task<SendOutcome> SendAsync(DestinationOptions destination, int pixelBytes = 4096)
    {
        using var service = new StowService(destination, destination.IsSecure ? destination.Tls.Open() : null, null);
        await using var sender = new StowSender(service);
        return await sender.SendAsync(Instance(pixelBytes), Cancel);
    }

    private static DestinationOptions DestinationAt(string url) =>
        new() { Name = "WEB", Kind = DestinationKind.Stow, Url = url, AnswerTimeoutSeconds = 20, ConnectTimeoutSeconds = 5 };

    private static ObjectToSend Instance(int pixelBytes = 4096) => new(
        SopClasses.CTImageStorage, Uid, TransferSyntax.ExplicitVRLittleEndian, ByteSource.Of(SampleObjects.Encode(SampleObjects.Create(1, pixelBytes))));

    private sealed class CountedSource(byte[] bytes) : ByteSource
    {
        private long _bytesRead;

        public long BytesRead => Interlocked.Read(ref _bytesRead);

        public override long Length => bytes.Length;

        protected internal override void ReadInside(long offset, Span<byte> destination)
        {
            Interlocked.Add(ref _bytesRead, destination.Length);
            bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }
    }

    private sealed class BrokenSource : ByteSource
    {
        public override long Length => 1 << 20;

        protected internal override void ReadInside(long offset, Span<byte> destination) => throw new IOException("The disk is gone.");
    }
}
