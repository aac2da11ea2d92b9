using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>What the acceptor answers to C-FIND and C-MOVE, seen as PDUs.</summary>
public sealed class AcceptorQueryTests
{
    private readonly RecordingProvider _provider = new();

    [Fact]
    public async Task Queries_answer_matches_and_a_final_status()
    {
        _provider.OnFind = static (request, _) => Matches(request.Identifier.GetText(Tags.QueryRetrieveLevel) == "STUDY" ? 2 : 0);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port, maxPduLength: 0);
        await peer.SendCommandAsync(5, Find(1));
        await peer.SendDataSetAsync(5, StudyQuery());
        for (int i = 0; i < 2; i++)
        {
            (CommandSet response, byte[] match) = await peer.ReadMessageAsync();
            response.Status.ShouldBe(DimseStatus.Pending);
            DataSetReader.Read(match, TransferSyntax.ImplicitVRLittleEndian).GetText(Tags.StudyInstanceUID).ShouldBe($"1.2.{i}");
        }

        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task A_canceled_query_says_so_to_the_provider_and_ends_with_fe00()
    {
        bool? wasCanceled = null;
        _provider.OnFind = (request, ct) => UntilCanceled(request, ct);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(5, Find(3));
        await peer.SendDataSetAsync(5, StudyQuery());
        (await peer.ReadMessageAsync()).Command.Status.ShouldBe(DimseStatus.Pending);
        await peer.SendCommandAsync(5, CommandSet.CancelOf(99));
        await peer.SendCommandAsync(5, CommandSet.CancelOf(3));
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Cancel);
        wasCanceled.ShouldBe(true);
        await peer.ReleaseAsync();

        async IAsyncEnumerable<FindResponse> UntilCanceled(QueryRequest request, [EnumeratorCancellation] CancellationToken ct)
        {
            yield return FindResponse.Match(StudyQuery("1.2"));
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            finally
            {
                wasCanceled = request.IsCanceled;
            }
        }
    }

    [Fact]
    public async Task A_move_reports_counts_and_the_failed_instances()
    {
        _provider.OnMove = static (request, _) => Moves(request);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(7, Move(1, "KNOWN"));
        await peer.SendDataSetAsync(7, StudyQuery());
        (CommandSet pending, _) = await peer.ReadMessageAsync();
        pending.Status.ShouldBe(DimseStatus.Pending);
        pending.UInt16(Tags.NumberOfRemainingSuboperations).ShouldBe((ushort)1);
        (CommandSet final, byte[] list) = await peer.ReadMessageAsync();
        final.Status.ShouldBe(DimseStatus.SuboperationsCompleteWithFailures);
        final.UInt16(Tags.NumberOfRemainingSuboperations).ShouldBeNull();
        final.UInt16(Tags.NumberOfCompletedSuboperations).ShouldBe((ushort)1);
        final.UInt16(Tags.NumberOfFailedSuboperations).ShouldBe((ushort)1);
        DataSetReader.Read(list, TransferSyntax.ImplicitVRLittleEndian).GetTexts(Tags.FailedSOPInstanceUIDList).ShouldBe(["1.2.3", "1.2.4"]);

        await peer.SendCommandAsync(7, Move(2, "UNKNOWN"));
        await peer.SendDataSetAsync(7, StudyQuery());
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.MoveDestinationUnknown);

        static async IAsyncEnumerable<MoveResponse> Moves(MoveRequest request)
        {
            await Task.Yield();
            if (request.MoveDestination != "KNOWN")
            {
                yield return new MoveResponse(DimseStatus.MoveDestinationUnknown);
                yield break;
            }

            yield return new MoveResponse(DimseStatus.Pending) { Remaining = 1, Completed = 1 };
            yield return new MoveResponse(DimseStatus.SuboperationsCompleteWithFailures)
            {
                Completed = 1,
                Failed = 1,
                FailedSOPInstanceUIDList = ["1.2.3", "1.2.4"],
            };
        }
    }

    [Fact]
    public async Task A_move_that_takes_long_says_every_five_seconds_that_it_is_at_work()
    {
        var time = new ManualTime();
        var go = new TaskCompletionSource();
        _provider.OnMove = (_, _) => Slow();
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(7, Move(1));
        await peer.SendDataSetAsync(7, StudyQuery());
        for (int i = 0; i < 3; i++)
        {
            Task<(CommandSet Command, byte[])> next = peer.ReadMessageAsync();
            await UntilAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return next.IsCompleted;
            }, "a pending response was repeated");
            (await next).Command.Status.ShouldBe(DimseStatus.Pending);
        }

        go.SetResult();
        CommandSet last;
        while ((last = (await peer.ReadMessageAsync()).Command).Status.IsPending)
        {
            // Repeated before the provider went on.
        }

        last.Status.ShouldBe(DimseStatus.Success);

        async IAsyncEnumerable<MoveResponse> Slow()
        {
            await go.Task;
            yield return new MoveResponse(DimseStatus.Success) { Completed = 1 };
        }
    }

    internal static async IAsyncEnumerable<FindResponse> Matches(int count)
    {
        for (int i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return FindResponse.Match(StudyQuery($"1.2.{i}"));
        }
    }
}
