using System.Globalization;
using System.Text;
using System.Xml;

namespace PacsStegoGateway.Audit;

/// <summary>An entry as DICOM audit message, PS3.15 A.5.1: by pseudonym, as the trail itself.</summary>
public static class DicomAuditMessage
{
    private static readonly AuditCode PatientNumber = new("2", "Patient Number", "RFC-3881");
    private static readonly AuditCode Uri = new("12", "URI", "RFC-3881");
    private static readonly AuditCode StudyInstanceUID = new("110180", "Study Instance UID");
    private static readonly AuditCode SopClassUID = new("110181", "SOP Class UID");
    private static readonly AuditCode Application = new("110150", "Application");
    private static readonly AuditCode Destination = new("110152", "Destination Role ID");
    private static readonly AuditCode Source = new("110153", "Source Role ID");

    /// <summary>One message without line breaks and without an XML declaration, as it travels in syslog.</summary>
    public static string ToXml(AuditRecord record)
    {
        var text = new StringBuilder(1024);
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment }))
        {
            Write(xml, record);
        }

        return text.ToString();
    }

    /// <summary>Writes the element <c>AuditMessage</c>.</summary>
    public static void Write(XmlWriter xml, AuditRecord record)
    {
        var what = DicomAuditEvent.Of(record);
        xml.WriteStartElement("AuditMessage");
        xml.WriteStartElement("EventIdentification");
        xml.WriteAttributeString("EventActionCode", what.Action.ToString());
        xml.WriteAttributeString("EventDateTime", record.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        xml.WriteAttributeString("EventOutcomeIndicator", ((int)record.Outcome).ToString(CultureInfo.InvariantCulture));
        Code(xml, "EventID", what.Id);
        if (what.Type is not null)
        {
            Code(xml, "EventTypeCode", what.Type);
        }

        string description = string.Join(": ", new[] { record.Event.ToString(), record.Reason, record.Detail }.Where(static t => !string.IsNullOrEmpty(t)));
        xml.WriteElementString("EventOutcomeDescription", Clean(description));
        xml.WriteEndElement();

        Participants(xml, record, what);
        xml.WriteStartElement("AuditSourceIdentification");
        xml.WriteAttributeString("AuditSourceID", Clean(record.Node));
        xml.WriteStartElement("AuditSourceTypeCode");
        xml.WriteAttributeString("csd-code", "4");
        xml.WriteEndElement();
        xml.WriteEndElement();
        Objects(xml, record, what);
        xml.WriteEndElement();
    }

    private static void Participants(XmlWriter xml, AuditRecord record, DicomAuditEvent what)
    {
        // Entries about an object on its way name the sender of long ago: he takes no part in what we do with it.
        bool hasCaller = (record.User ?? record.CallingAE ?? record.RemoteAddress) is not null
            && (what.Flow is AuditFlow.In or AuditFlow.Back || record.Event is not (AuditEvent.Protected or AuditEvent.Quarantined or AuditEvent.Forwarded
                or AuditEvent.ForwardFailed or AuditEvent.Committed));
        if (hasCaller)
        {
            Participant(xml, record.User ?? record.CallingAE ?? record.RemoteAddress!, record.User is null ? null : record.CallingAE, true, record.RemoteAddress,
                what.Flow switch { AuditFlow.In => Source, AuditFlow.Back => Destination, _ => null });
        }

        Participant(xml, record.Node, null, !hasCaller, null, what.Flow switch
        {
            AuditFlow.In => Destination,
            AuditFlow.Out or AuditFlow.Back => Source,
            _ => Application,
        });
        if (what.Flow == AuditFlow.Out)
        {
            Participant(xml, "archive", null, false, null, Destination);
        }
    }

    private static void Participant(XmlWriter xml, string user, string? callingAE, bool isRequestor, string? address, AuditCode? role)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", Clean(user));
        if (!string.IsNullOrEmpty(callingAE))
        {
            xml.WriteAttributeString("AlternativeUserID", "AETITLES=" + Clean(callingAE));
        }

        xml.WriteAttributeString("UserIsRequestor", isRequestor ? "true" : "false");
        if (!string.IsNullOrEmpty(address))
        {
            xml.WriteAttributeString("NetworkAccessPointID", Clean(address));
            xml.WriteAttributeString("NetworkAccessPointTypeCode", "2");
        }

        if (role is not null)
        {
            Code(xml, "RoleIDCode", role);
        }

        xml.WriteEndElement();
    }

    private static void Objects(XmlWriter xml, AuditRecord record, DicomAuditEvent what)
    {
        if (record.StudyUID is not null || record.SopUID is not null)
        {
            Begin(xml, record.StudyUID ?? "", 2, 3, what.LifeCycle, StudyInstanceUID, record.StudyUID ?? "");
            xml.WriteStartElement("ParticipantObjectDescription");
            if (record.SopUID is not null)
            {
                xml.WriteStartElement("SOPClass");
                xml.WriteAttributeString("NumberOfInstances", "1");
                xml.WriteStartElement("Instance");
                xml.WriteAttributeString("UID", Clean(record.SopUID));
                xml.WriteEndElement();
                xml.WriteEndElement();
            }

            // The UIDs here are those of the protected objects. What left as original did not leave as this.
            xml.WriteElementString("Anonymized", record.Event is AuditEvent.Reidentified or AuditEvent.QuarantineExported ? "false" : "true");
            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        if (record.Patient is not null)
        {
            Begin(xml, record.Patient, 1, 1, what.LifeCycle, PatientNumber, record.Patient);
            xml.WriteEndElement();
        }

        if (record.Event is AuditEvent.Query or AuditEvent.QueryRefused)
        {
            Begin(xml, "C-FIND", 2, 24, null, SopClassUID, null, record.Detail ?? "");
            xml.WriteEndElement();
        }

        // Which entry this is: a receiver that gets it twice, or misses one, sees it here.
        Begin(xml, $"urn:psg:audit:{record.Sequence.ToString(CultureInfo.InvariantCulture)}", 2, 13, null, Uri,
            record.Event == AuditEvent.TrailRead ? "Security Audit Log" : "Security Audit Log entry");
        Detail(xml, "SequenceNumber", record.Sequence.ToString(CultureInfo.InvariantCulture));
        Detail(xml, "Event", $"{(int)record.Event} {record.Event}");
        Detail(xml, "PurposeOfUse", record.Purpose);
        xml.WriteEndElement();
    }

    private static void Begin(XmlWriter xml, string id, int typeCode, int role, int? lifeCycle, AuditCode idType, string? name, string? query = null)
    {
        xml.WriteStartElement("ParticipantObjectIdentification");
        xml.WriteAttributeString("ParticipantObjectID", Clean(id));
        xml.WriteAttributeString("ParticipantObjectTypeCode", typeCode.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("ParticipantObjectTypeCodeRole", role.ToString(CultureInfo.InvariantCulture));
        if (lifeCycle is { } stage)
        {
            xml.WriteAttributeString("ParticipantObjectDataLifeCycle", stage.ToString(CultureInfo.InvariantCulture));
        }

        Code(xml, "ParticipantObjectIDTypeCode", idType);
        xml.WriteElementString(query is null ? "ParticipantObjectName" : "ParticipantObjectQuery",
            query is null ? Clean(name!) : Convert.ToBase64String(Encoding.UTF8.GetBytes(query)));
    }

    private static void Detail(XmlWriter xml, string type, string? value)
    {
        if (value is not null)
        {
            xml.WriteStartElement("ParticipantObjectDetail");
            xml.WriteAttributeString("type", type);
            xml.WriteAttributeString("value", Convert.ToBase64String(Encoding.UTF8.GetBytes(value)));
            xml.WriteEndElement();
        }
    }

    private static void Code(XmlWriter xml, string element, AuditCode code)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("csd-code", code.Code);
        xml.WriteAttributeString("codeSystemName", code.Scheme);
        xml.WriteAttributeString("originalText", code.Meaning);
        xml.WriteEndElement();
    }

    /// <summary>Without the few characters that are no control characters and still not XML.</summary>
    private static string Clean(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!XmlConvert.IsXmlChar(text[i]) && !char.IsSurrogate(text[i]))
            {
                return string.Concat(text.Select(static c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '?'));
            }
        }

        return text;
    }
}
