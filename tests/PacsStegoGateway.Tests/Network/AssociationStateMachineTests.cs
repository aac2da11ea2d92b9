using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

public sealed class AssociationStateMachineTests
{
    /// <summary>PS3.8 Table 9-10 as printed: one line for each event, one column for each of Sta1 to Sta13.</summary>
    private const string Table910 = """
        Evt1   AE-1  -     -     -     -     -     -     -     -     -     -     -     -
        Evt2   -     -     -     AE-2  -     -     -     -     -     -     -     -     -
        Evt3   -     AA-1  AA-8  -     AE-3  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
        Evt4   -     AA-1  AA-8  -     AE-4  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
        Evt5   AE-5  -     -     -     -     -     -     -     -     -     -     -     -
        Evt6   -     AE-6  AA-8  -     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
        Evt7   -     -     AE-7  -     -     -     -     -     -     -     -     -     -
        Evt8   -     -     AE-8  -     -     -     -     -     -     -     -     -     -
        Evt9   -     -     -     -     -     DT-1  -     AR-7  -     -     -     -     -
        Evt10  -     AA-1  AA-8  -     AA-8  DT-2  AR-6  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
        Evt11  -     -     -     -     -     AR-1  -     -     -     -     -     -     -
        Evt12  -     AA-1  AA-8  -     AA-8  AR-2  AR-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
        Evt13  -     AA-1  AA-8  -     AA-8  AA-8  AR-3  AA-8  AA-8  AR-10 AR-3  AA-8  AA-6
        Evt14  -     -     -     -     -     -     -     AR-4  AR-9  -     -     AR-4  -
        Evt15  -     -     AA-1  AA-2  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  -
        Evt16  -     AA-2  AA-3  -     AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-2
        Evt17  -     AA-5  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AR-5
        Evt18  -     AA-2  -     -     -     -     -     -     -     -     -     -     AA-2
        Evt19  -     AA-1  AA-8  -     AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
        """;

    /// <summary>The next state of each action (PS3.8 Tables 9-6 to 9-9); AR-8 by role.</summary>
    private static readonly Dictionary<string, int> NextState = new()
    {
        ["AE-1"] = 4, ["AE-2"] = 5, ["AE-3"] = 6, ["AE-4"] = 1, ["AE-5"] = 2, ["AE-6"] = 3, ["AE-7"] = 6, ["AE-8"] = 13,
        ["DT-1"] = 6, ["DT-2"] = 6, ["AR-1"] = 7, ["AR-2"] = 8, ["AR-3"] = 1, ["AR-4"] = 13, ["AR-5"] = 1, ["AR-6"] = 7,
        ["AR-7"] = 8, ["AR-9"] = 11, ["AR-10"] = 12, ["AA-1"] = 13, ["AA-2"] = 1, ["AA-3"] = 1, ["AA-4"] = 1, ["AA-5"] = 1,
        ["AA-6"] = 13, ["AA-7"] = 13, ["AA-8"] = 13,
    };

    [Fact]
    public void Every_cell_of_table_9_10_is_as_printed()
    {
        int cells = 0;
        foreach (string line in Table910.Split('\n'))
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            int evt = int.Parse(columns[0][3..]);
            for (int state = 1; state <= 13; state++, cells++)
            {
                string? actual = AssociationStateMachine.Find((AssociationState)state, (AssociationEvent)evt)?.ToString();
                actual.ShouldBe(columns[state] == "-" ? null : columns[state].Replace("-", ""), $"Evt{evt} in Sta{state}");
            }
        }

        cells.ShouldBe(19 * 13);
    }

    [Fact]
    public void Every_action_leads_to_the_state_of_the_standard()
    {
        foreach (AssociationAction action in Enum.GetValues<AssociationAction>())
        {
            string name = action.ToString().Insert(2, "-");
            if (name == "AR-8")
            {
                ((int)AssociationStateMachine.After(action, isRequestor: true)).ShouldBe(9);
                ((int)AssociationStateMachine.After(action, isRequestor: false)).ShouldBe(10);
            }
            else
            {
                ((int)AssociationStateMachine.After(action, isRequestor: true)).ShouldBe(NextState[name], name);
            }
        }
    }

    /// <summary>How each role comes into the states it can be in: the events after Sta1.</summary>
    private static readonly Dictionary<(bool IsRequestor, int State), int[]> Paths = new()
    {
        [(true, 1)] = [],
        [(true, 4)] = [1],
        [(true, 5)] = [1, 2],
        [(true, 6)] = [1, 2, 3],
        [(true, 7)] = [1, 2, 3, 11],
        [(true, 8)] = [1, 2, 3, 12],
        [(true, 9)] = [1, 2, 3, 11, 12],
        [(true, 11)] = [1, 2, 3, 11, 12, 14],
        [(true, 13)] = [1, 2, 3, 12, 14],
        [(false, 1)] = [],
        [(false, 2)] = [5],
        [(false, 3)] = [5, 6],
        [(false, 6)] = [5, 6, 7],
        [(false, 7)] = [5, 6, 7, 11],
        [(false, 8)] = [5, 6, 7, 12],
        [(false, 10)] = [5, 6, 7, 11, 12],
        [(false, 12)] = [5, 6, 7, 11, 12, 13],
        [(false, 13)] = [5, 6, 8],
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_event_in_every_state_that_a_role_can_be_in_does_what_the_table_says(bool isRequestor)
    {
        string[][] table = [.. Table910.Split('\n').Select(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        foreach ((bool role, int state) in Paths.Keys.Where(k => k.IsRequestor == isRequestor))
        {
            for (int evt = 1; evt <= 19; evt++)
            {
                var machine = new AssociationStateMachine(isRequestor);
                foreach (int step in Paths[(role, state)])
                {
                    machine.Take((AssociationEvent)step);
                }

                ((int)machine.State).ShouldBe(state);
                string expected = table[evt - 1][state];
                if (expected == "-")
                {
                    Should.Throw<InvalidOperationException>(() => machine.Take((AssociationEvent)evt), $"Evt{evt} in Sta{state}");
                    ((int)machine.State).ShouldBe(state);
                }
                else
                {
                    machine.Take((AssociationEvent)evt).ToString().ShouldBe(expected.Replace("-", ""), $"Evt{evt} in Sta{state}");
                    ((int)machine.State).ShouldBe(expected == "AR-8" ? (isRequestor ? 9 : 10) : NextState[expected]);
                }
            }
        }
    }

    [Fact]
    public void A_primitive_at_the_wrong_time_is_our_own_misuse()
    {
        var machine = new AssociationStateMachine(isRequestor: false);
        Should.Throw<InvalidOperationException>(() => machine.Take(AssociationEvent.ReleaseRequestPrimitive));
        machine.State.ShouldBe(AssociationState.Sta1Idle);
    }

    [Fact]
    public void A_release_collision_goes_its_own_way_on_each_side()
    {
        var requestor = new AssociationStateMachine(isRequestor: true);
        AssociationEvent[] path = [AssociationEvent.AssociateRequestPrimitive, AssociationEvent.TransportConnectConfirmation,
            AssociationEvent.AssociateAc, AssociationEvent.ReleaseRequestPrimitive, AssociationEvent.ReleaseRq,
            AssociationEvent.ReleaseResponsePrimitive, AssociationEvent.ReleaseRp];
        path.Select(requestor.Take).ToList()[^1].ShouldBe(AssociationAction.AR3);

        var acceptor = new AssociationStateMachine(isRequestor: false);
        path = [AssociationEvent.TransportConnectIndication, AssociationEvent.AssociateRq, AssociationEvent.AssociateResponseAccept,
            AssociationEvent.ReleaseRequestPrimitive, AssociationEvent.ReleaseRq, AssociationEvent.ReleaseRp,
            AssociationEvent.ReleaseResponsePrimitive];
        path.Select(acceptor.Take).ToList()[^1].ShouldBe(AssociationAction.AR4);
        acceptor.State.ShouldBe(AssociationState.Sta13AwaitingTransportClose);
    }
}
