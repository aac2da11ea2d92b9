using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using System.Xml.Schema;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>What leaves the gateway of the trail, and that others can read it.</summary>
public sealed class AuditExportTests
{
    private static readonly XmlSchemaSet Schema = ReadSchema();

    public static TheoryData<AuditEvent> Events => [.. Enum.GetValues<AuditEvent>()];

    [Theory, MemberData(nameof(Events))]
    public void Every_event_is_a_valid_audit_message_full_and_empty(AuditEvent @event)
    {
        foreach (AuditRecord record in (AuditRecord[])
        [
            AuditBench.Full() with { Event = @event, Sequence = 7, Node = "gateway" },
            AuditBench.Full() with { Event = @event, Sequence = 7, Node = "gateway", Reason = "ConflictingContent", Outcome = AuditOutcome.MajorFailure },
            new AuditRecord(@event) { Node = "n", Sequence = 1 },
            new AuditRecord(@event) { Node = "<&\"'>", Sequence = 1, CallingAE = "A\ufffe<B>", Detail = "\ud83d\ude00 ]]>", StudyUID = "2.25.1" },
        ])
        {
            string xml = DicomAuditMessage.ToXml(record);
            xml.ShouldNotContain('\n');
            Validate(xml);
        }
    }

    [Fact]
    public void Every_event_has_words_of_its_own_in_the_standard_and_a_line_in_the_documentation()
    {
        string page = Repository.RepositoryFiles.Text("docs/audit.md");
        foreach (AuditEvent @event in Enum.GetValues<AuditEvent>())
        {
            DicomAuditEvent? dicom = DicomAuditEvent.Of(@event);
            dicom.ShouldNotBeNull($"{@event}: add it to DicomAuditEvent");
            string line = page.Split('\n').FirstOrDefault(l => l.StartsWith($"| {(int)@event} | `{@event}` |", StringComparison.Ordinal)) ?? "";
            line.ShouldNotBeEmpty($"docs/audit.md has no line for {(int)@event} {@event}");
            line.Split('|')[^2].Trim().ShouldBe(dicom.Type is null ? $"{dicom.Id.Code} {dicom.Action}" : $"{dicom.Id.Code} {dicom.Type.Code} {dicom.Action}", $"{@event}");
        }
    }

    [Fact]
    public void A_message_tells_who_what_whose_and_which_entry()
    {
        XElement message = Validate(DicomAuditMessage.ToXml(AuditBench.Full() with
        {
            Sequence = 42, Node = "gw", Reason = null, At = DateTimeOffset.Parse("2026-01-31T12:34:56.789Z", System.Globalization.CultureInfo.InvariantCulture),
        }));
        XElement identification = message.Element("EventIdentification")!;
        ((string?)identification.Attribute("EventDateTime")).ShouldBe("2026-01-31T12:34:56.789Z");
        ((string?)identification.Attribute("EventOutcomeIndicator")).ShouldBe("4");
        ((string?)identification.Element("EventID")!.Attribute("csd-code")).ShouldBe("110104");
        message.Elements("ActiveParticipant").Select(static p => ((string?)p.Attribute("UserID"), (string?)p.Element("RoleIDCode")?.Attribute("csd-code")))
            .ShouldBe([("Dr. Ä", "110152"), ("gw", "110153")]);
        message.Elements("ParticipantObjectIdentification").Select(static o => (string?)o.Attribute("ParticipantObjectID")).ShouldBe(["2.25.5", "P1", "urn:psg:audit:42"]);
        ((bool)message.Descendants("Anonymized").Single()).ShouldBeFalse();
        string denied = DicomAuditMessage.ToXml(new AuditRecord(AuditEvent.QueryRefused, AuditOutcome.SeriousFailure) { Reason = nameof(RefusalReason.NotAuthorized) });
        denied.ShouldContain("\"110113\"");
        denied.ShouldContain("\"110132\"");
    }

    [Fact]
    public async Task CSV_is_quoted_where_it_must_be_and_holds_no_formula()
    {
        AuditRecord[] records =
        [
            AuditBench.Full() with { Sequence = 1, Node = "n", CallingAE = "=cmd|' /C calc'!A0", User = "+1", Purpose = "-1", Reason = "@x", Detail = "a \"b\", c" },
            new AuditRecord(AuditEvent.Query) { Sequence = 2, Node = "n" },
        ];
        string[] lines = Encoding.UTF8.GetString(await ExportAsync(AuditFormat.Csv, records)).Split("\r\n");
        lines.Length.ShouldBe(4);
        lines[0].ShouldStartWith("sequence,at,node,event,eventName,outcome,callingAE");
        lines[1].ShouldBe("1,0001-01-01T00:00:00.000Z,n,700,Reidentified,4,'=cmd|' /C calc'!A0,10.1.2.3,'+1,'-1,P1,2.25.5,2.25.6,'@x,\"a \"\"b\"\", c\"");
        lines[2].ShouldBe("2,0001-01-01T00:00:00.000Z,n,600,Query,0,,,,,,,,,");
        lines[3].ShouldBeEmpty();
    }

    [Fact]
    public async Task JSON_and_DICOM_hold_every_entry_and_nothing_sealed()
    {
        AuditRecord[] records = [.. Enumerable.Range(1, 2500).Select(static i => AuditBench.Full() with { Sequence = i, Node = "n" })];
        using var json = JsonDocument.Parse(await ExportAsync(AuditFormat.Json, records));
        json.RootElement.GetArrayLength().ShouldBe(2500);
        json.RootElement[2499].GetProperty("sequence").GetInt64().ShouldBe(2500);
        json.RootElement[0].GetProperty("detail").GetString().ShouldBe("ä!");
        json.RootElement[0].EnumerateObject().ShouldNotContain(static p => p.Name == "sealed");
        var dicom = XElement.Parse(Encoding.UTF8.GetString(await ExportAsync(AuditFormat.Dicom, records)));
        dicom.Elements("AuditMessage").Count().ShouldBe(2500);
        Validate(dicom.Elements("AuditMessage").Last().ToString());
    }

    internal static XElement Validate(string xml)
    {
        var document = XDocument.Parse(xml);
        document.Validate(Schema, (_, e) => throw new Shouldly.ShouldAssertException($"{e.Message}\n{xml}"));
        return document.Root!;
    }

    private static async Task<byte[]> ExportAsync(AuditFormat format, AuditRecord[] records)
    {
        using var stream = new MemoryStream();
        (await AuditExport.WriteAsync(stream, format, records.ToAsyncEnumerable(), null)).ShouldBe(records.Length);
        return stream.ToArray();
    }

    private static XmlSchemaSet ReadSchema()
    {
        var set = new XmlSchemaSet();
        set.Add(null, Repository.RepositoryFiles.At("tests/PacsStegoGateway.Tests/Gateway/dicom-audit-message.xsd"));
        return set;
    }
}
