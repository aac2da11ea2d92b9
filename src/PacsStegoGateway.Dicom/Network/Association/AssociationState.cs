namespace PacsStegoGateway.Dicom.Network;

/// <summary>States of the upper layer protocol machine (PS3.8 Tables 9-1 to 9-5).</summary>
public enum AssociationState
{
    Sta1Idle = 1,
    Sta2AwaitingAssociateRq,
    Sta3AwaitingLocalAssociateResponse,
    Sta4AwaitingTransportConnection,
    Sta5AwaitingAssociateAcOrRj,
    Sta6DataTransfer,
    Sta7AwaitingReleaseRp,
    Sta8AwaitingLocalReleaseResponse,
    Sta9CollisionRequestorAwaitingLocalReleaseResponse,
    Sta10CollisionAcceptorAwaitingReleaseRp,
    Sta11CollisionRequestorAwaitingReleaseRp,
    Sta12CollisionAcceptorAwaitingLocalReleaseResponse,
    Sta13AwaitingTransportClose,
}

/// <summary>Events in the order of the rows of PS3.8 Table 9-10 (Evt1 to Evt19).</summary>
public enum AssociationEvent
{
    AssociateRequestPrimitive = 1,
    TransportConnectConfirmation,
    AssociateAc,
    AssociateRj,
    TransportConnectIndication,
    AssociateRq,
    AssociateResponseAccept,
    AssociateResponseReject,
    PDataRequestPrimitive,
    PDataTf,
    ReleaseRequestPrimitive,
    ReleaseRq,
    ReleaseRp,
    ReleaseResponsePrimitive,
    AbortRequestPrimitive,
    Abort,
    TransportClosed,
    ArtimExpired,
    UnrecognizedOrInvalidPdu,
}

/// <summary>Actions of PS3.8 Tables 9-6 to 9-9.</summary>
public enum AssociationAction
{
    /// <summary>Issue TRANSPORT CONNECT request.</summary>
    AE1 = 1,

    /// <summary>Send A-ASSOCIATE-RQ.</summary>
    AE2,

    /// <summary>Issue A-ASSOCIATE confirmation (accept).</summary>
    AE3,

    /// <summary>Issue A-ASSOCIATE confirmation (reject) and close.</summary>
    AE4,

    /// <summary>Issue transport connection response; start ARTIM.</summary>
    AE5,

    /// <summary>Stop ARTIM; A-ASSOCIATE indication, or send A-ASSOCIATE-RJ and start ARTIM.</summary>
    AE6,

    /// <summary>Send A-ASSOCIATE-AC.</summary>
    AE7,

    /// <summary>Send A-ASSOCIATE-RJ and start ARTIM.</summary>
    AE8,

    /// <summary>Send P-DATA-TF.</summary>
    DT1,

    /// <summary>P-DATA indication.</summary>
    DT2,

    /// <summary>Send A-RELEASE-RQ.</summary>
    AR1,

    /// <summary>A-RELEASE indication.</summary>
    AR2,

    /// <summary>A-RELEASE confirmation and close.</summary>
    AR3,

    /// <summary>Send A-RELEASE-RP and start ARTIM.</summary>
    AR4,

    /// <summary>Stop ARTIM.</summary>
    AR5,

    /// <summary>P-DATA indication while a release is asked for.</summary>
    AR6,

    /// <summary>Send P-DATA-TF while a release is asked for.</summary>
    AR7,

    /// <summary>A-RELEASE indication: release collision.</summary>
    AR8,

    /// <summary>Send A-RELEASE-RP, requestor's side of a collision.</summary>
    AR9,

    /// <summary>A-RELEASE confirmation, acceptor's side of a collision.</summary>
    AR10,

    /// <summary>Send A-ABORT (service user) and (re)start ARTIM.</summary>
    AA1,

    /// <summary>Stop ARTIM; close.</summary>
    AA2,

    /// <summary>A-ABORT or A-P-ABORT indication; close.</summary>
    AA3,

    /// <summary>A-P-ABORT indication.</summary>
    AA4,

    /// <summary>Stop ARTIM.</summary>
    AA5,

    /// <summary>Ignore the PDU.</summary>
    AA6,

    /// <summary>Send A-ABORT.</summary>
    AA7,

    /// <summary>Send A-ABORT (service provider), A-P-ABORT indication, start ARTIM.</summary>
    AA8,
}
