using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Security;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Readers see pseudonyms and protected objects, re-identifiers originals, nobody a mixture; and the rules of PS3.4 C.4 for both.</summary>
public sealed class TwoViewsTests
{
    private static readonly string Explicit = TransferSyntax.ExplicitVRLittleEndian.UID;
    private static readonly string Pseudonym = SampleObjects.Pseudonyms.MapPatientID(null, SampleObjects.PatientID);
    private static readonly string Study = SampleObjects.Pseudonyms.MapUID(SampleObjects.StudyUID);
    private static readonly string Series = SampleObjects.Pseudonyms.MapUID(SampleObjects.SeriesUID);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_sees_pseudonyms_at_every_level_with_counts_and_no_trace_of_a_patient_asked_for_by_name()
    {
        await using GatewayHarness gateway = await StartAsync(3);
        await using RequestorAssociation reader = await ConnectAsync(gateway, "READER");
        DataSet patient = (await FindAsync(reader, "PATIENT", (Tags.PatientID, ""), (Tags.PatientName, ""), (Tags.NumberOfPatientRelatedStudies, ""),
            (Tags.NumberOfPatientRelatedSeries, ""), (Tags.NumberOfPatientRelatedInstances, ""))).ShouldHaveSingleItem();
        Texts(patient, Tags.PatientID, Tags.PatientName, Tags.NumberOfPatientRelatedStudies, Tags.NumberOfPatientRelatedSeries, Tags.NumberOfPatientRelatedInstances)
            .ShouldBe([Pseudonym, "", "1", "1", "3"]);
        DataSet study = (await FindAsync(reader, "STUDY", (Tags.PatientID, Pseudonym), (Tags.StudyInstanceUID, ""), (Tags.NumberOfStudyRelatedSeries, ""),
            (Tags.NumberOfStudyRelatedInstances, ""), (Tags.SOPClassesInStudy, ""))).ShouldHaveSingleItem();
        Texts(study, Tags.StudyInstanceUID, Tags.NumberOfStudyRelatedSeries, Tags.NumberOfStudyRelatedInstances, Tags.SOPClassesInStudy, Tags.RetrieveAETitle)
            .ShouldBe([Study, "1", "3", SopClasses.CTImageStorage, "PSG"]);
        DataSet series = (await FindAsync(reader, "SERIES", (Tags.PatientID, Pseudonym), (Tags.StudyInstanceUID, Study), (Tags.SeriesInstanceUID, ""),
            (Tags.NumberOfSeriesRelatedInstances, ""))).ShouldHaveSingleItem();
        Texts(series, Tags.SeriesInstanceUID, Tags.NumberOfSeriesRelatedInstances).ShouldBe([Series, "3"]);
        (await FindAsync(reader, "IMAGE", (Tags.PatientID, Pseudonym), (Tags.StudyInstanceUID, Study), (Tags.SeriesInstanceUID, Series), (Tags.SOPInstanceUID, "")))
            .Select(static d => d.GetText(Tags.SOPInstanceUID)).ShouldBe(Enumerable.Range(1, 3).Select(static i => SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(i))), ignoreOrder: true);

        (await FindAsync(reader, "STUDY", (Tags.PatientID, SampleObjects.PatientID))).ShouldBeEmpty();
        (await FindAsync(reader, "PATIENT", (Tags.PatientName, "Zwet*"))).ShouldBeEmpty();
        (await FindAsync(reader, "STUDY", (Tags.PatientID, Pseudonym), (Tags.StudyInstanceUID, SampleObjects.StudyUID))).ShouldBeEmpty();
        (await FindAsync(reader, "STUDY", (Tags.PatientID, Pseudonym), (Tags.AccessionNumber, SampleObjects.AccessionNumber))).ShouldBeEmpty();
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "READER", Events = [AuditEvent.Disclosed] })).ShouldBeEmpty();
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "READER", Events = [AuditEvent.Query] })).Count.ShouldBe(8);
    }

    [Fact]
    public async Task Readers_are_refused_unless_the_configuration_lets_them_and_both_roles_give_the_original_view()
    {
        await using GatewayHarness refused = await StartAsync(1, static g =>
        {
            g.Options.Retrieval.Readers = ReaderView.Refused;
            g.Options.Callers.Add(new CallerOptions { AETitle = "BOTH", Roles = [Role.Reader, Role.Reidentifier] });
        });
        await using (RequestorAssociation reader = await ConnectAsync(refused, "READER"))
        {
            (await Should.ThrowAsync<AssociationException>(FindAsync(reader, "PATIENT", (Tags.PatientID, "")))).Message.ShouldContain("0124");
        }

        await using RequestorAssociation both = await ConnectAsync(refused, "BOTH");
        (await FindAsync(both, "PATIENT", (Tags.PatientID, "*"))).ShouldHaveSingleItem().GetText(Tags.PatientID).ShouldBe(SampleObjects.PatientID);
    }

    [Fact]
    public async Task A_reader_gets_protected_objects_byte_for_byte_as_the_PACS_holds_them_and_a_reidentifier_the_originals()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await StartAsync(2, g => g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port }));
        await using RequestorAssociation reader = await ConnectAsync(gateway, "READER");
        MoveResponse moved = await reader.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Keys("STUDY", (Tags.StudyInstanceUID, Study)), Cancel).LastAsync(Cancel);
        (moved.Status, moved.Completed, moved.Failed, moved.Warning).ShouldBe((DimseStatus.Success, 2, 0, 0));
        clinic.Stored.Keys.ShouldBe(gateway.Pacs.Stored.Keys, ignoreOrder: true);
        clinic.Stored.ShouldAllBe(p => p.Value.SequenceEqual(gateway.Pacs.Stored[p.Key]));
        clinic.Requests.ShouldAllBe(static r => r.MoveOriginator!.ApplicationEntityTitle == "READER");

        var got = new Dictionary<string, byte[]>();
        RetrieveResult result = await reader.GetAsync(SopClasses.PatientRootGet, Keys("PATIENT", (Tags.PatientID, Pseudonym)), async (request, ct) =>
        {
            got[request.AffectedSOPInstanceUID] = await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        }, Cancel);
        (result.Status, result.Completed).ShouldBe((DimseStatus.Success, 2));
        got.ShouldAllBe(p => p.Value.SequenceEqual(gateway.Pacs.Stored[p.Key]));
        (await reader.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Keys("STUDY", (Tags.StudyInstanceUID, SampleObjects.StudyUID)), Cancel).LastAsync(Cancel))
            .ShouldSatisfyAllConditions(static r => r.Status.ShouldBe(DimseStatus.Success), static r => r.Completed.ShouldBe(0));
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "READER", Events = [AuditEvent.Reidentified] })).ShouldBeEmpty();
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "READER", Events = [AuditEvent.RetrieveCompleted] })).Count.ShouldBe(3);
    }

    [Fact]
    public async Task The_rules_of_the_hierarchy_hold_unless_relational_behaviour_is_negotiated()
    {
        await using GatewayHarness gateway = await StartAsync(2);
        await using (RequestorAssociation strict = await ConnectAsync(gateway, "CLINIC"))
        {
            foreach ((string model, string level, (Tag, string)[] keys) in new (string, string, (Tag, string)[])[]
            {
                (SopClasses.StudyRootFind, "PATIENT", [(Tags.PatientID, "")]),
                (SopClasses.StudyRootFind, "SERIES", [(Tags.SeriesInstanceUID, "")]),
                (SopClasses.StudyRootFind, "SERIES", [(Tags.StudyInstanceUID, "*")]),
                (SopClasses.StudyRootFind, "SERIES", [(Tags.StudyInstanceUID, $"{SampleObjects.StudyUID}\\1.2.3")]),
                (SopClasses.StudyRootFind, "IMAGE", [(Tags.StudyInstanceUID, SampleObjects.StudyUID), (Tags.SOPInstanceUID, "")]),
                (SopClasses.StudyRootFind, "STUDY", [(Tags.SeriesInstanceUID, SampleObjects.SeriesUID)]),
                (SopClasses.PatientRootFind, "STUDY", [(Tags.StudyInstanceUID, SampleObjects.StudyUID)]),
                (SopClasses.StudyRootFind, "NOWHERE", [(Tags.StudyInstanceUID, "")]),
            })
            {
                (await Should.ThrowAsync<AssociationException>(async () => await strict.FindAsync(model, Keys(level, keys), Cancel).ToListAsync(Cancel))).Message.ShouldContain("A900");
            }

            (await strict.MoveAsync(SopClasses.StudyRootMove, "PSG", Keys("SERIES", (Tags.SeriesInstanceUID, SampleObjects.SeriesUID)), Cancel).LastAsync(Cancel))
                .Status.ShouldBe(DimseStatus.MoveDestinationUnknown);
        }

        await using RequestorAssociation relational = await RequestorAssociation.ConnectAsync(
            gateway.Peer("CLINIC") with { ExtendedNegotiations = [new ExtendedNegotiation(SopClasses.StudyRootFind, new byte[] { 1, 1, 1 })] },
            [new ProposedContext(SopClasses.StudyRootFind, Explicit)], AssociationLimits.Default, Cancel);
        relational.ExtendedNegotiations.ShouldHaveSingleItem().ApplicationInformation.ToArray().ShouldBe([1, 0, 0]);
        (await FindAsync(relational, "IMAGE", (Tags.SeriesInstanceUID, SampleObjects.SeriesUID), (Tags.SOPInstanceUID, ""))).Count.ShouldBe(2);
        (await FindAsync(relational, "IMAGE", (Tags.PatientName, "zwet*"), (Tags.InstanceNumber, "02"))).ShouldHaveSingleItem()
            .GetText(Tags.SOPInstanceUID).ShouldBe(SampleObjects.SopUID(2));
    }

    [Fact]
    public async Task Unsupported_keys_come_back_empty_with_FF01_and_the_limit_ends_with_B001()
    {
        await using GatewayHarness gateway = await StartAsync(3, static g => g.Options.Retrieval.MaxMatches = 2);
        string port = gateway.Host.EndPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        (_, string output) = await Dcmtk.RunAsync("findscu", "-d", "-S", "-aet", "CLINIC", "-aec", "PSG", "-k", "QueryRetrieveLevel=IMAGE",
            "-k", $"StudyInstanceUID={SampleObjects.StudyUID}", "-k", $"SeriesInstanceUID={SampleObjects.SeriesUID}", "-k", "SOPInstanceUID", "127.0.0.1", port);
        output.ShouldContain("0xb001");
        output.Split("0xff00").Length.ShouldBe(3);
        (_, output) = await Dcmtk.RunAsync("findscu", "-d", "-S", "-aet", "CLINIC", "-aec", "PSG", "-k", "QueryRetrieveLevel=STUDY",
            "-k", "ModalitiesInStudy=MR\\CT", "-k", "Modality", "-k", "RequestAttributesSequence", "-k", "StudyInstanceUID", "127.0.0.1", port);
        output.ShouldContain("0xff01");
        output.ShouldContain(SampleObjects.StudyUID);
        (_, output) = await Dcmtk.RunAsync("findscu", "-d", "-S", "-aet", "CLINIC", "-aec", "PSG", "-k", "QueryRetrieveLevel=STUDY",
            "-k", "ModalitiesInStudy=PT", "-k", "StudyInstanceUID", "127.0.0.1", port);
        output.ShouldNotContain("0xff0");
    }

    [Fact]
    public async Task A_query_that_is_canceled_ends_with_FE00()
    {
        await using GatewayHarness gateway = await StartAsync(5);
        (_, string output) = await Dcmtk.RunAsync("findscu", "-d", "-S", "--cancel", "1", "-aet", "CLINIC", "-aec", "PSG", "-k", "QueryRetrieveLevel=IMAGE",
            "-k", $"StudyInstanceUID={SampleObjects.StudyUID}", "-k", $"SeriesInstanceUID={SampleObjects.SeriesUID}", "-k", "SOPInstanceUID", "127.0.0.1",
            gateway.Host.EndPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        // All answers may have left before the C-CANCEL came.
        (output.Contains("0xfe00", StringComparison.Ordinal) || output.Split("0xff00").Length == 6).ShouldBeTrue(output);
    }

    [Fact]
    public async Task A_known_destination_that_is_not_the_callers_is_0124_and_user_and_purpose_stand_in_the_trail()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await StartAsync(1, g =>
        {
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port });
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "OTHER", Host = "127.0.0.1", Port = clinic.Port });
            CallerOptions caller = g.Options.Callers.Single(static c => c.AETitle == "CLINIC");
            caller.MoveDestinations.Add("CLINIC");
            caller.PurposeOfUse = "PATRQT";
        });
        await using RequestorAssociation caller = await RequestorAssociation.ConnectAsync(
            gateway.Peer("CLINIC") with { UserIdentity = new UserIdentity(1, false, "drmeier"u8.ToArray(), default) },
            [new ProposedContext(SopClasses.StudyRootMove, Explicit)], AssociationLimits.Default, Cancel);
        DataSet study = Keys("STUDY", (Tags.StudyInstanceUID, SampleObjects.StudyUID));
        MoveResponse refused = await caller.MoveAsync(SopClasses.StudyRootMove, "OTHER", study, Cancel).LastAsync(Cancel);
        (refused.Status, refused.ErrorComment).ShouldBe((DimseStatus.NotAuthorized, "Move destination not allowed for this caller; recorded"));
        clinic.Stored.ShouldBeEmpty();
        (await caller.MoveAsync(SopClasses.StudyRootMove, "CLINIC", study, Cancel).LastAsync(Cancel)).Completed.ShouldBe(1);
        IReadOnlyList<AuditRecord> trail = await gateway.Host.Store.QueryAuditAsync(
            new AuditFilter { CallingAE = "CLINIC", Events = [AuditEvent.RetrieveRefused, AuditEvent.Reidentified, AuditEvent.RetrieveCompleted] }, Cancel);
        trail.Select(static r => r.Event).ShouldBe([AuditEvent.RetrieveRefused, AuditEvent.Reidentified, AuditEvent.RetrieveCompleted]);
        trail.ShouldAllBe(static r => r.User == "drmeier (as stated)" && r.Purpose == "PATRQT");
    }

    [Theory]
    [InlineData(SymbolAlone.Refuse, 0xA702, 1, 0)]
    [InlineData(SymbolAlone.Deliver, 0xB000, 0, 1)]
    public async Task What_is_restored_from_the_symbol_alone_is_failed_or_a_warning_as_configured(SymbolAlone policy, int status, int failed, int warning)
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await StartAsync(1, g =>
        {
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port });
            g.Options.Retrieval.SymbolAlone = policy;
            g.Parts = new ProtectionParts(SampleObjects.Keys, SampleObjects.Protect, static (stored, transferSyntax) =>
                new RevealOutcome.RevealedFromSymbolAlone(((RevealOutcome.Revealed)SampleObjects.Reveal(stored, transferSyntax)).Original));
        });
        await using RequestorAssociation caller = await ConnectAsync(gateway, "CLINIC");
        MoveResponse final = await caller.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Keys("STUDY", (Tags.StudyInstanceUID, SampleObjects.StudyUID)), Cancel).LastAsync(Cancel);
        ((int)final.Status.Code, final.Completed, final.Failed, final.Warning, final.Remaining).ShouldBe((status, 0, failed, warning, 0));
        clinic.Stored.Count.ShouldBe(warning);
        final.FailedSOPInstanceUIDList.Count.ShouldBe(failed);
    }

    [Fact]
    public async Task Cancel_between_sub_operations_ends_with_FE00_and_counts_that_add_up()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await StartAsync(20, g =>
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port }));
        using var never = new ManualResetEventSlim();
        clinic.Answer = n =>
        {
            // A slow destination: there is time for the C-CANCEL to come.
            never.Wait(TimeSpan.FromMilliseconds(n < 2 ? 0 : 200));
            return DimseStatus.Success;
        };
        await using RequestorAssociation caller = await ConnectAsync(gateway, "CLINIC");
        await foreach (MoveResponse response in caller.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Keys("STUDY", (Tags.StudyInstanceUID, SampleObjects.StudyUID)), Cancel))
        {
            (response.Completed + response.Failed + response.Warning + response.Remaining).ShouldBe(20);
            if (response.Completed >= 2)
            {
                // Leaving sends the C-CANCEL and waits for the end.
                break;
            }
        }

        AuditRecord summary = (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.RetrieveCompleted] }, Cancel)).ShouldHaveSingleItem();
        string detail = summary.Detail.ShouldNotBeNull();
        detail.ShouldContain("status FE00H");
        detail.ShouldContain($"{clinic.Stored.Count} completed, 0 failed, 0 with warning, {20 - clinic.Stored.Count} not tried");
        clinic.Stored.Count.ShouldBeLessThan(20);
    }

    private static async Task<GatewayHarness> StartAsync(int images, Action<GatewayHarness>? prepare = null)
    {
        GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.Options.Retrieval.Readers = ReaderView.Pseudonyms;
            prepare?.Invoke(g);
        });
        await gateway.SendAsync([.. Enumerable.Range(1, images)]);
        await gateway.UntilAsync(InstanceState.Forwarded, images);
        return gateway;
    }

    private static Task<RequestorAssociation> ConnectAsync(GatewayHarness gateway, string callingAE) => RequestorAssociation.ConnectAsync(
        gateway.Peer(callingAE),
        [
            new ProposedContext(SopClasses.StudyRootFind, Explicit), new ProposedContext(SopClasses.PatientRootFind, Explicit),
            new ProposedContext(SopClasses.StudyRootMove, Explicit), new ProposedContext(SopClasses.PatientRootGet, Explicit),
            new ProposedContext(SopClasses.CTImageStorage, Explicit) { ScpRole = true },
        ],
        AssociationLimits.Default, Cancel);

    /// <summary>In the model whose rules the keys obey: Patient Root when the patient is asked for.</summary>
    private static async Task<List<DataSet>> FindAsync(RequestorAssociation association, string level, params (Tag Tag, string Text)[] keys) =>
        await association.FindAsync(keys.Any(static k => k.Tag == Tags.PatientID) || level == "PATIENT" ? SopClasses.PatientRootFind : SopClasses.StudyRootFind,
            Keys(level, keys), Cancel).ToListAsync(Cancel);

    private static DataSet Keys(string level, params (Tag Tag, string Text)[] keys)
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, level);
        foreach ((Tag tag, string text) in keys)
        {
            identifier.SetText(tag, text);
        }

        return identifier;
    }

    private static string?[] Texts(DataSet dataSet, params Tag[] tags) => [.. tags.Select(dataSet.GetText)];
}
