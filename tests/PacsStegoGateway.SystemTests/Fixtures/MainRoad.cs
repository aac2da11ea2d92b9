using System.Text.Json;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>
/// The main job once, for all tests that look at its result: phantoms and clinical images sent by <c>storescu</c> through
/// the gateway to Orthanc, and brought back by <c>movescu</c> to the caller who may have them.
/// </summary>
public sealed class MainRoad : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new("road");
    private OrthancServer? _orthanc;
    private StoreScp? _explicit;
    private StoreScp? _implicit;

    public GatewayProcess Gateway { get; private set; } = null!;

    public StoreScp Clinic { get; private set; } = null!;

    public IReadOnlyList<string> Phantoms { get; private set; } = [];

    public IReadOnlyList<string> Clinical { get; private set; } = [];

    /// <summary>How <c>storescu</c> ended.</summary>
    public Finished Stored { get; private set; } = new(-1, "", "");

    /// <summary>
    /// What the sender put on the wire, by original SOP Instance UID, in the transfer syntax that it agreed on with the gateway: a
    /// sender may encode a data set anew, so the files are not the measure.
    /// </summary>
    public IReadOnlyDictionary<string, Part10> Sent { get; private set; } = new Dictionary<string, Part10>();

    /// <summary>What the PACS holds, by original SOP Instance UID.</summary>
    public IReadOnlyDictionary<string, Part10> Held { get; private set; } = new Dictionary<string, Part10>();

    /// <summary>What came back to CLINIC, by SOP Instance UID.</summary>
    public IReadOnlyDictionary<string, Part10> Returned { get; private set; } = new Dictionary<string, Part10>();

    public Pseudonymizer Pseudonyms { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Phantoms = Images.Phantoms(_folder.Folder("phantoms"), slices: 3);
        Clinical = Images.Clinical(each: 5);
        _orthanc = await OrthancServer.Start();
        _explicit = await StoreScp.Start("EXPLICIT", "+xe");
        _implicit = await StoreScp.Start("IMPLICIT", "+xi");
        Clinic = await StoreScp.Start("CLINIC");
        Gateway = await GatewayProcess.Start(_orthanc.DicomPort, Clinic);

        string[] all = [.. Phantoms, .. Clinical];
        (await DcmtkTools.Store(_explicit.Port, "MODALITY", "EXPLICIT", all)).ShouldSucceed();
        (await DcmtkTools.Store(_implicit.Port, "MODALITY", "IMPLICIT", all)).ShouldSucceed();
        Dictionary<string, Part10> @explicit = ByUID(_explicit.Received.Select(Part10.At));
        Dictionary<string, Part10> @implicit = ByUID(_implicit.Received.Select(Part10.At));
        Stored = await DcmtkTools.Store(Gateway.Port, "MODALITY", "PSG", all);

        int seen = -1;
        await Eventually.IsTrue("every image is at the PACS or in quarantine", async () =>
        {
            seen = await _orthanc.Count();
            return seen + (await Audit("--event", "Quarantined")).Count >= @explicit.Count;
        }, 600);

        Pseudonyms = new Pseudonymizer(KeyRing.Load(Gateway.KeyRingPath).PseudonymKey);
        Dictionary<string, Part10> held = ByUID((await _orthanc.Files()).Select(static f => new Part10(f)));
        Sent = @explicit.Keys.ToDictionary(
            static uid => uid,
            uid => held.GetValueOrDefault(Pseudonyms.MapUID(uid))?.TransferSyntax == Dicom.TransferSyntax.ImplicitVRLittleEndian ? @implicit[uid] : @explicit[uid]);
        Held = Sent.Keys.Where(uid => held.ContainsKey(Pseudonyms.MapUID(uid))).ToDictionary(uid => uid, uid => held[Pseudonyms.MapUID(uid)]);
        held.Count.ShouldBe(Held.Count, "The PACS holds something that nobody sent.");

        foreach (string study in Held.Keys.Select(uid => Sent[uid].DataSet.GetText(Dicom.Tags.StudyInstanceUID)!).Distinct())
        {
            await DcmtkTools.Move(Gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={study}");
        }

        Returned = ByUID(Clinic.Received.Select(Part10.At));
    }

    /// <summary>Records of the audit trail, oldest first, as <c>psg audit list --json</c> prints them.</summary>
    public async Task<IReadOnlyList<JsonElement>> Audit(params string[] filter)
    {
        Finished listed = (await Gateway.Psg(["audit", "list", "--json", "--limit", "100000", .. filter])).ShouldSucceed();
        return [.. JsonDocument.Parse(listed.StandardOutput).RootElement.EnumerateArray()];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable? server in (IAsyncDisposable?[])[Gateway, Clinic, _explicit, _implicit, _orthanc])
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }

        _folder.Dispose();
    }

    private static Dictionary<string, Part10> ByUID(IEnumerable<Part10> files) => files.ToDictionary(static f => f.SOPInstanceUID);
}
