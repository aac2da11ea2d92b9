using System.Text;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>A peer that breaks the rules, on a raw socket.</summary>
public sealed class HostilePeerTests
{
    private readonly RecordingProvider _provider = new();

    [Fact]
    public async Task Connecting_and_saying_nothing_is_closed_when_artim_expires()
    {
        var time = new ManualTime();
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);

        await AdvanceUntilEndedAsync(time, TimeSpan.FromSeconds(29), TimeSpan.FromSeconds(1));

        (await peer.ReadAsync()).ShouldBeNull();
        AssociationEnd end = await _provider.Ended;
        end.Kind.ShouldBe(AssociationEndKind.TimedOut);
        end.Detail.ShouldContain("A-ASSOCIATE-RQ");
    }

    [Fact]
    public async Task Half_a_request_does_not_start_artim_anew()
    {
        var time = new ManualTime();
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(ScriptedPeer.Bytes(ScriptedPeer.Request())[..50]);

        await AdvanceUntilEndedAsync(time, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(10));

        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.TimedOut);
    }

    [Fact]
    public async Task Half_a_data_pdu_and_then_silence_is_aborted_after_the_dimse_timeout()
    {
        var time = new ManualTime();
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendAsync(4, 0, 0, 0, 1, 0, 0, 0, 0, 200);

        Task<Pdu?> answer = peer.ReadAsync();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(30), () => answer.IsCompleted);
        (await answer).ShouldBe(new Abort(Abort.ServiceProvider, 0));
        peer.Dispose();
        AssociationEnd end = await _provider.Ended;
        end.Kind.ShouldBe(AssociationEndKind.TimedOut);
        end.Detail.ShouldContain("message stopped");
    }

    [Fact]
    public async Task An_idle_association_is_aborted_after_the_idle_timeout_and_not_before()
    {
        var time = new ManualTime();
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        Task<Pdu?> answer = peer.ReadAsync();

        time.Advance(TimeSpan.FromSeconds(200));
        answer.IsCompleted.ShouldBeFalse();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(101), () => answer.IsCompleted);

        (await answer).ShouldBeOfType<Abort>();
        peer.Dispose();
        (await _provider.Ended).Detail.ShouldContain("Idle");
    }

    [Fact]
    public async Task A_data_set_that_stops_is_taken_from_the_provider_and_aborted()
    {
        var time = new ManualTime();
        var broken = new TaskCompletionSource<Exception>();
        _provider.OnStore = async (request, ct) =>
        {
            broken.SetResult(await Should.ThrowAsync<Exception>(RecordingProvider.ReadAllAsync(request.DataSet, CancellationToken.None)));
            throw await broken.Task;
        };
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        await peer.SendFragmentAsync(3, false, false, new byte[1000]);

        Task<Pdu?> answer = peer.ReadAsync();
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(30), () => answer.IsCompleted);

        (await answer).ShouldBeOfType<Abort>();
        (await broken.Task).ShouldBeOfType<IOException>();
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.TimedOut);
        _provider.Faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001", "TLS")]
    public async Task Another_protocol_is_named_and_closed_without_an_answer(string bytes, string name)
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(Encoding.Latin1.GetBytes(bytes));

        (await peer.ReadAsync()).ShouldBeNull();
        AssociationEnd end = await _provider.Ended;
        end.Kind.ShouldBe(AssociationEndKind.NotDicom);
        end.Detail.ShouldContain(name);
    }

    [Fact]
    public async Task A_connection_that_closes_without_a_byte_is_no_failure()
    {
        await using var acceptor = new TestAcceptor(_provider);
        (await ScriptedPeer.ConnectAsync(acceptor.Port)).Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.NothingSaid);
    }

    [Fact]
    public async Task A_pdu_of_four_gibibytes_is_refused_from_its_header()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        long before = GC.GetTotalAllocatedBytes();
        await peer.SendAsync(4, 0, 0xFF, 0xFF, 0xFF, 0xFF);
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.InvalidPduParameterValue);
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(50_000_000);
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.AbortedHere);
    }

    [Fact]
    public async Task Data_before_the_request_is_aborted_by_the_service_user()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendFragmentAsync(1, true, true, [1, 2]);
        await peer.ExpectAbortAsync(Abort.ServiceUser, AbortReason.NotSpecified);
    }

    [Theory]
    [InlineData("09 00 00000004 00000000", AbortReason.UnrecognizedPdu)]
    [InlineData("02", AbortReason.UnexpectedPdu)] // completed below: an A-ASSOCIATE-AC
    [InlineData("04 00 00000008 00000004 09 03 0000", AbortReason.UnexpectedPduParameter)] // context 9 was never accepted
    [InlineData("04 00 00000008 00000004 03 00 0000", AbortReason.UnexpectedPduParameter)] // data set without command
    [InlineData("04 00 00000008 000000FF 03 03 0000", AbortReason.InvalidPduParameterValue)]
    [InlineData("04 00 00000008 00000004 03 03 0000", AbortReason.NotSpecified)] // a command set of two bytes
    public async Task Each_violation_is_aborted_with_its_reason(string hex, AbortReason reason)
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", ""));
        await peer.SendAsync(bytes is [2]
            ? ScriptedPeer.Bytes(new AssociateAc { CalledAETitle = "A", CallingAETitle = "B", PresentationContexts = [], UserInformation = new() })
            : bytes);
        await peer.ExpectAbortAsync(Abort.ServiceProvider, reason);
    }

    [Fact]
    public async Task A_command_set_above_the_cap_is_aborted()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        for (int sent = 0; sent <= 65_536; sent += 16_000)
        {
            await peer.SendFragmentAsync(1, true, false, new byte[16_000]);
        }

        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
        peer.Dispose();
        (await _provider.Ended).Detail.ShouldContain("65536");
    }

    [Fact]
    public async Task An_identifier_above_the_cap_is_aborted()
    {
        await using var acceptor = new TestAcceptor(_provider, new AssociationLimits { MaxIdentifierLength = 4096 });
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(5, Find(1));
        await peer.SendFragmentAsync(5, false, false, new byte[4098]);
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
    }

    [Fact]
    public async Task A_data_set_above_its_limit_is_refused_and_the_association_goes_on()
    {
        await using var acceptor = new TestAcceptor(_provider, new AssociationLimits { MaxDataSetLength = 10_000 });
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        for (int i = 0; i < 5; i++)
        {
            await peer.SendFragmentAsync(3, false, i == 4, new byte[4000]);
        }

        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.CannotUnderstand);
        byte[] small = new byte[100];
        await peer.SendCommandAsync(3, Store(2));
        await peer.SendFragmentAsync(3, false, true, small);
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
        _provider.Stored.ShouldHaveSingleItem().DataSet.ShouldBe(small);
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task Fragments_of_one_byte_are_put_together()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        byte[] command = Store(7).ToArray();
        byte[] dataSet = CtBytes(rows: 1);
        for (int i = 0; i < command.Length; i++)
        {
            await peer.SendFragmentAsync(3, true, i == command.Length - 1, [command[i]]);
        }

        for (int i = 0; i < dataSet.Length; i++)
        {
            await peer.SendFragmentAsync(3, false, i == dataSet.Length - 1, [dataSet[i]]);
        }

        (CommandSet response, _) = await peer.ReadMessageAsync();
        response.Status.ShouldBe(DimseStatus.Success);
        response.MessageIDBeingRespondedTo.ShouldBe((ushort)7);
        _provider.Stored.ShouldHaveSingleItem().DataSet.ShouldBe(dataSet);
    }

    [Fact]
    public async Task An_abort_in_the_middle_of_an_object_reaches_the_provider_every_time()
    {
        int broken = 0;
        var providers = new List<RecordingProvider>();
        await using var acceptor = new TestAcceptor(() =>
        {
            var provider = new RecordingProvider
            {
                OnStore = async (request, ct) =>
                {
                    await Should.ThrowAsync<Exception>(RecordingProvider.ReadAllAsync(request.DataSet, ct));
                    Interlocked.Increment(ref broken);
                    return StoreResponse.Success;
                },
            };
            lock (providers)
            {
                providers.Add(provider);
            }

            return provider;
        });
        for (int i = 0; i < 200; i++)
        {
            using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
            await peer.SendCommandAsync(3, Store(1));
            await peer.SendFragmentAsync(3, false, false, new byte[1000]);
            await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
            (await peer.ReadAsync()).ShouldBeNull();
        }

        broken.ShouldBe(200);
        (await Task.WhenAll(providers.Select(static p => p.Ended))).ShouldAllBe(static e => e.Kind == AssociationEndKind.AbortedByPeer);
        providers.SelectMany(static p => p.Faults).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_connection_ends_a_running_query()
    {
        var canceled = new TaskCompletionSource<bool>();
        _provider.OnFind = (request, ct) => Endless(request, ct);
        await using var acceptor = new TestAcceptor(_provider);
        ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(5, Find(1));
        await peer.SendDataSetAsync(5, StudyQuery());
        await peer.ReadMessageAsync();
        peer.Dispose();

        (await canceled.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).ShouldBeFalse();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.ConnectionLost);

        async IAsyncEnumerable<FindResponse> Endless(QueryRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            yield return FindResponse.Match(StudyQuery("1.2.3"));
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            finally
            {
                canceled.SetResult(request.IsCanceled);
            }
        }
    }

    [Fact]
    public async Task Any_bytes_after_the_association_never_hurt_the_acceptor()
    {
        var random = new Random(4711);
        byte[] good = Concat(Command(3, Store(1)), DataPdu(3, CtBytes(rows: 1)), Command(1, Echo(2)), ScriptedPeer.Bytes(new ReleaseRq()));
        for (int round = 0; round < 150; round++)
        {
            var provider = new RecordingProvider();
            await using var acceptor = new TestAcceptor(provider);
            using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
            byte[] bytes = (byte[])good.Clone();
            for (int i = 0; i < 1 + random.Next(3); i++)
            {
                // Headers and command sets, not pixels, are where damage matters.
                int at = random.Next(3) == 0 ? random.Next(bytes.Length) : random.Next(220);
                bytes[at] = (byte)random.Next(256);
            }

            await peer.SendAsync(bytes);
            if (random.Next(2) == 0)
            {
                await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
            }

            peer.Dispose();
            AssociationEnd end = await provider.Ended;
            end.Kind.ShouldBeOneOf(AssociationEndKind.AbortedByPeer, AssociationEndKind.AbortedHere, AssociationEndKind.ConnectionLost, AssociationEndKind.Released);
        }
    }

    private static byte[] Command(byte contextID, CommandSet command) => Fragment(contextID, 3, command.ToArray());

    private static byte[] DataPdu(byte contextID, byte[] bytes) => Fragment(contextID, 2, bytes);

    private static byte[] Fragment(byte contextID, byte control, byte[] bytes)
    {
        byte[] pdu = new byte[PduWriter.PDataHeaderLength + bytes.Length];
        PduWriter.WritePDataHeader(pdu, contextID, (control & 1) != 0, (control & 2) != 0, bytes.Length);
        bytes.CopyTo(pdu, PduWriter.PDataHeaderLength);
        return pdu;
    }

    private static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(static p => p)];

    /// <summary>Time goes on, step by step, until the other thread has seen enough of it.</summary>
    private static Task AdvanceUntilAsync(ManualTime time, TimeSpan step, Func<bool> condition) => UntilAsync(
        () =>
        {
            if (condition())
            {
                return true;
            }

            time.Advance(step);
            return false;
        },
        "the timeout was noticed");

    private async Task AdvanceUntilEndedAsync(ManualTime time, TimeSpan harmless, TimeSpan decisive)
    {
        Task<AssociationEnd> ended = _provider.Ended;
        time.Advance(harmless);
        ended.IsCompleted.ShouldBeFalse();
        await AdvanceUntilAsync(time, decisive, () => ended.IsCompleted);
    }
}
