using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Audit;

/// <summary>A coded value of an audit message: code, scheme and meaning.</summary>
public sealed record AuditCode(string Code, string Meaning, string Scheme = "DCM");

/// <summary>Who passed objects on to whom.</summary>
public enum AuditFlow
{
    /// <summary>None were.</summary>
    None,

    /// <summary>The caller to us.</summary>
    In,

    /// <summary>We to the archive.</summary>
    Out,

    /// <summary>We to whom the caller named.</summary>
    Back,
}

/// <summary>What an event of ours is in the words of DICOM (PS3.15 A.5.3; codes of PS3.16 CID 400, 401 and 402).</summary>
/// <param name="Id">EventID.</param>
/// <param name="Action">EventActionCode: C, R, U, D or E.</param>
/// <param name="Type">EventTypeCode, or null.</param>
/// <param name="LifeCycle">ParticipantObjectDataLifeCycle of the objects, or null.</param>
/// <param name="Flow">Where objects went.</param>
public sealed record DicomAuditEvent(AuditCode Id, char Action, AuditCode? Type = null, int? LifeCycle = null, AuditFlow Flow = AuditFlow.None)
{
    private static readonly AuditCode Activity = new("110100", "Application Activity");
    private static readonly AuditCode LogUsed = new("110101", "Audit Log Used");
    private static readonly AuditCode Accessed = new("110103", "DICOM Instances Accessed");
    private static readonly AuditCode Transferred = new("110104", "DICOM Instances Transferred");
    private static readonly AuditCode Export = new("110106", "Export");
    private static readonly AuditCode PatientRecord = new("110110", "Patient Record");
    private static readonly AuditCode Query = new("110112", "Query");
    private static readonly AuditCode Alert = new("110113", "Security Alert");
    private static readonly AuditCode Authentication = new("110114", "User Authentication");
    private static readonly AuditCode NodeAuthentication = new("110126", "Node Authentication");
    private static readonly AuditCode SecurityConfiguration = new("110129", "Security Configuration");
    private static readonly AuditCode Restricted = new("110132", "Use of Restricted Function");

    /// <summary>The event of an entry. What no role allowed is a security alert, whatever it was.</summary>
    public static DicomAuditEvent Of(AuditRecord record) => record.Reason == nameof(RefusalReason.NotAuthorized)
        ? new DicomAuditEvent(Alert, 'E', Restricted)
        : Of(record.Event) ?? new DicomAuditEvent(record.SopUID is null ? Activity : Accessed, 'E');

    /// <summary>The event of ours; null for one that has no words of its own.</summary>
    public static DicomAuditEvent? Of(AuditEvent @event) => @event switch
    {
        AuditEvent.ServiceStarted => new(Activity, 'E', new AuditCode("110120", "Application Start")),
        AuditEvent.ServiceStopped => new(Activity, 'E', new AuditCode("110121", "Application Stop")),
        AuditEvent.ConfigurationChanged or AuditEvent.ConfigurationRefused or AuditEvent.KeyChanged => new(Alert, 'E', SecurityConfiguration),
        AuditEvent.WorkTakenOver => new(Activity, 'E'),
        AuditEvent.TrailTakenOver => new(Alert, 'E', new AuditCode("110134", "Audit Recording Started")),
        AuditEvent.TrailBroken => new(Alert, 'E'),
        AuditEvent.TrailRead => new(LogUsed, 'R'),
        AuditEvent.AssociationAccepted => new(Authentication, 'E', new AuditCode("110122", "Login")),
        AuditEvent.AssociationAborted => new(Authentication, 'E', new AuditCode("110123", "Logout")),
        AuditEvent.AssociationRejected or AuditEvent.TlsRefused => new(Alert, 'E', NodeAuthentication),
        AuditEvent.Received => new(Transferred, 'C', null, 1, AuditFlow.In),
        AuditEvent.Duplicate => new(Transferred, 'R', null, 6, AuditFlow.In),
        AuditEvent.ReceiveRefused => new(Transferred, 'C', null, null, AuditFlow.In),
        AuditEvent.Protected => new(Accessed, 'U', null, 7),
        AuditEvent.Quarantined or AuditEvent.QuarantineReleased or AuditEvent.DeliveryRetried or AuditEvent.DeliveryDropped => new(Accessed, 'U', null, 6),
        AuditEvent.QuarantineDiscarded => new(Accessed, 'D', null, 15),
        AuditEvent.QuarantineExported => new(Export, 'R', null, 10),
        AuditEvent.Forwarded => new(Transferred, 'C', null, 13, AuditFlow.Out),
        AuditEvent.ForwardFailed or AuditEvent.DeliveryDead => new(Transferred, 'C', null, null, AuditFlow.Out),
        AuditEvent.Committed => new(Accessed, 'R', null, 13),
        AuditEvent.CommitmentRequested or AuditEvent.CommitmentReported or AuditEvent.CommitmentFailed => new(Transferred, 'R', null, 4),
        AuditEvent.Query or AuditEvent.QueryRefused => new(Query, 'E'),
        AuditEvent.Disclosed => new(PatientRecord, 'R', null, 11),
        AuditEvent.Reidentified or AuditEvent.RetrieveCompleted => new(Transferred, 'R', null, 11, AuditFlow.Back),
        AuditEvent.RetrieveFailed or AuditEvent.RetrieveRefused => new(Transferred, 'R', null, null, AuditFlow.Back),
        AuditEvent.Denied or AuditEvent.KeyUsed => new(Alert, 'E', Restricted),
        _ => null,
    };
}
