using System.Net;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Security;

public sealed class AssociationDoorTests
{
    private static readonly IPAddress One = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress Two = IPAddress.Parse("10.0.0.2");

    private readonly ManualTime _time = new();
    private readonly LimitOptions _limits = new();

    private AssociationDoor Door => field ??= new AssociationDoor(() => _limits, _time);

    [Fact]
    public void An_address_that_comes_too_often_waits_and_no_other_does()
    {
        _limits.AssociationsPerMinutePerAddress = 3;
        Enumerable.Range(0, 4).Select(_ => Door.MayKnock(One, "A")).ShouldBe([true, true, true, false]);
        Door.MayKnock(Two, "A").ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(20));
        Enumerable.Range(0, 2).Select(_ => Door.MayKnock(One, "A")).ShouldBe([true, false]);
        _limits.AssociationsPerMinutePerAddress = 0;
        Door.MayKnock(One, "A").ShouldBeTrue("0 is no limit, and is in effect at once.");
    }

    [Fact]
    public void The_addresses_of_one_IPv6_network_count_as_one_and_a_mapped_IPv4_as_itself()
    {
        _limits.AssociationsPerMinutePerAddress = 1;
        Door.MayKnock(IPAddress.Parse("fd00::1"), "A").ShouldBeTrue();
        Door.MayKnock(IPAddress.Parse("fd00::2"), "A").ShouldBeFalse();
        Door.MayKnock(IPAddress.Parse("fd00:0:0:1::2"), "A").ShouldBeTrue();
        Door.MayKnock(One, "A").ShouldBeTrue();
        Door.MayKnock(One.MapToIPv6(), "A").ShouldBeFalse();
    }

    [Fact]
    public void Callers_have_limits_of_their_own_for_associations_queries_and_retrievals()
    {
        _limits.AssociationsPerMinutePerAE = 1;
        _limits.QueriesPerMinute = 1;
        _limits.RetrievalsPerMinute = 1;
        foreach (Func<string, bool> may in (Func<string, bool>[])[Door.MayEnter, Door.MayQuery, Door.MayRetrieve])
        {
            (may("A"), may("A"), may("B")).ShouldBe((true, false, true));
        }
    }

    [Fact]
    public void Repeated_rejections_make_a_title_from_an_address_wait_longer_each_time_and_nobody_else()
    {
        _limits.RejectionsBeforePause = 2;
        _limits.LongestPauseSeconds = 4;
        Door.Rejected(One, "A");
        Door.MayKnock(One, "A").ShouldBeTrue();
        foreach (int seconds in (int[])[1, 2, 4, 4])
        {
            Door.Rejected(One, "A");
            Door.MayKnock(One, "A").ShouldBeFalse();
            (Door.MayKnock(One, "B"), Door.MayKnock(Two, "A")).ShouldBe((true, true));
            _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Door.MayKnock(One, "A").ShouldBeFalse();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Door.MayKnock(One, "A").ShouldBeTrue();
        }

        Door.Admitted(One, "A");
        Door.Rejected(One, "A");
        Door.MayKnock(One, "A").ShouldBeTrue();
    }

    [Fact]
    public void Rejections_of_long_ago_do_not_count()
    {
        _limits.RejectionsBeforePause = 2;
        _limits.LongestPauseSeconds = 4;
        Door.Rejected(One, "A");
        _time.Advance(TimeSpan.FromSeconds(5));
        Door.Rejected(One, "A");
        Door.MayKnock(One, "A").ShouldBeTrue();
    }

    [Fact]
    public void Of_many_refusals_the_first_are_recorded_and_the_others_counted()
    {
        var recorded = new List<int>();
        for (int i = 0; i < 20; i++)
        {
            if (Door.IsRecorded(One, out int before))
            {
                recorded.Add(before);
            }
        }

        recorded.ShouldBe([0, 0, 0, 0, 0, 0]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Door.IsRecorded(One, out int unrecorded).ShouldBeTrue();
        unrecorded.ShouldBe(14);
    }

    [Fact]
    public void What_is_remembered_of_strangers_is_bounded_and_the_oldest_is_forgotten()
    {
        var memory = new BoundedMemory<int, object>(3);
        for (int i = 0; i < 3; i++)
        {
            memory.GetOrAdd(i, static () => new object());
        }

        memory.GetOrAdd(0, static () => new object());
        memory.GetOrAdd(3, static () => new object());
        memory.Count.ShouldBe(3);
        (memory.TryGet(0, out _), memory.TryGet(1, out _), memory.TryGet(2, out _), memory.TryGet(3, out _)).ShouldBe((true, false, true, true));
    }
}
