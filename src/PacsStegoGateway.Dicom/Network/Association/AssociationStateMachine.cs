using static PacsStegoGateway.Dicom.Network.AssociationAction;
using static PacsStegoGateway.Dicom.Network.AssociationState;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>The upper layer protocol machine: PS3.8 Table 9-10 as data, and where it stands.</summary>
/// <remarks>It only says what to do; the association does it. Not thread-safe.</remarks>
public sealed class AssociationStateMachine(bool isRequestor)
{
    /// <summary>Rows are events, columns Sta1 to Sta13; 0 where the table is blank.</summary>
    private static readonly AssociationAction[][] Table =
    [
        //     1    2    3    4    5    6    7    8    9    10    11   12   13
        /*  1 */ [AE1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        /*  2 */ [0, 0, 0, AE2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        /*  3 */ [0, AA1, AA8, 0, AE3, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA6],
        /*  4 */ [0, AA1, AA8, 0, AE4, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA6],
        /*  5 */ [AE5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        /*  6 */ [0, AE6, AA8, 0, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA7],
        /*  7 */ [0, 0, AE7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        /*  8 */ [0, 0, AE8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        /*  9 */ [0, 0, 0, 0, 0, DT1, 0, AR7, 0, 0, 0, 0, 0],
        /* 10 */ [0, AA1, AA8, 0, AA8, DT2, AR6, AA8, AA8, AA8, AA8, AA8, AA6],
        /* 11 */ [0, 0, 0, 0, 0, AR1, 0, 0, 0, 0, 0, 0, 0],
        /* 12 */ [0, AA1, AA8, 0, AA8, AR2, AR8, AA8, AA8, AA8, AA8, AA8, AA6],
        /* 13 */ [0, AA1, AA8, 0, AA8, AA8, AR3, AA8, AA8, AR10, AR3, AA8, AA6],
        /* 14 */ [0, 0, 0, 0, 0, 0, 0, AR4, AR9, 0, 0, AR4, 0],
        /* 15 */ [0, 0, AA1, AA2, AA1, AA1, AA1, AA1, AA1, AA1, AA1, AA1, 0],
        /* 16 */ [0, AA2, AA3, 0, AA3, AA3, AA3, AA3, AA3, AA3, AA3, AA3, AA2],
        /* 17 */ [0, AA5, AA4, AA4, AA4, AA4, AA4, AA4, AA4, AA4, AA4, AA4, AR5],
        /* 18 */ [0, AA2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, AA2],
        /* 19 */ [0, AA1, AA8, 0, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA8, AA7],
    ];

    /// <summary>Where the association stands.</summary>
    public AssociationState State { get; private set; } = Sta1Idle;

    /// <summary>The cell of Table 9-10, or null where it is blank: the event cannot happen in that state.</summary>
    public static AssociationAction? Find(AssociationState state, AssociationEvent evt)
    {
        AssociationAction action = Table[(int)evt - 1][(int)state - 1];
        return action == 0 ? null : action;
    }

    /// <summary>The state after an action (PS3.8 Tables 9-6 to 9-9).</summary>
    /// <param name="isRequestor">Decides AR-8. AE-6 goes to Sta3 here: whether the request is good is decided there.</param>
    public static AssociationState After(AssociationAction action, bool isRequestor) => action switch
    {
        AE1 => Sta4AwaitingTransportConnection,
        AE2 => Sta5AwaitingAssociateAcOrRj,
        AE3 or AE7 or DT1 or DT2 => Sta6DataTransfer,
        AE5 => Sta2AwaitingAssociateRq,
        AE6 => Sta3AwaitingLocalAssociateResponse,
        AR1 or AR6 => Sta7AwaitingReleaseRp,
        AR2 or AR7 => Sta8AwaitingLocalReleaseResponse,
        AR8 => isRequestor ? Sta9CollisionRequestorAwaitingLocalReleaseResponse : Sta10CollisionAcceptorAwaitingReleaseRp,
        AR9 => Sta11CollisionRequestorAwaitingReleaseRp,
        AR10 => Sta12CollisionAcceptorAwaitingLocalReleaseResponse,
        AE4 or AR3 or AR5 or AA2 or AA3 or AA4 or AA5 => Sta1Idle,
        _ => Sta13AwaitingTransportClose,
    };

    /// <summary>Takes an event: the machine moves, the caller carries out the action.</summary>
    /// <exception cref="InvalidOperationException">The cell is blank: a primitive of ours at the wrong time.</exception>
    public AssociationAction Take(AssociationEvent evt)
    {
        AssociationAction action = Find(State, evt)
            ?? throw new InvalidOperationException($"{evt} cannot happen in {State} (PS3.8 Table 9-10).");
        State = After(action, isRequestor);
        return action;
    }

    /// <summary>The event that a received PDU is.</summary>
    public static AssociationEvent EventOf(Pdu pdu) => pdu switch
    {
        PDataTf => AssociationEvent.PDataTf,
        AssociateRq => AssociationEvent.AssociateRq,
        AssociateAc => AssociationEvent.AssociateAc,
        AssociateRj => AssociationEvent.AssociateRj,
        ReleaseRq => AssociationEvent.ReleaseRq,
        ReleaseRp => AssociationEvent.ReleaseRp,
        _ => AssociationEvent.Abort,
    };
}
