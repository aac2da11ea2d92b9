using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>Holds what senders know against what rows, audit trail, spool and PACS say: nothing lost, nothing doubled.</summary>
public static class Ledger
{
    /// <summary>
    /// Waits until the queue is empty; then every acknowledged instance has one row, one record of each step, and is at the PACS
    /// under its pseudonym or in quarantine; nobody has anything else; no file is without a row; the audit chain holds.
    /// </summary>
    /// <param name="gateway">Running; it is stopped in order and started again, because a start sweeps the spool.</param>
    /// <param name="acknowledged">Files that were answered with success: all that were ever sent.</param>
    /// <param name="seconds">Longest wait for the queue.</param>
    public static async Task ShouldBalance(GatewayProcess gateway, OrthancServer orthanc, IEnumerable<string> acknowledged, double seconds)
    {
        await Eventually.IsTrue("the queue is empty", () => GatewayRows.CountUnfinished(gateway) == 0, seconds);
        var pseudonyms = new Pseudonymizer(KeyRing.Load(gateway.KeyRingPath).PseudonymKey);
        string[] expected = [.. acknowledged.Select(p => pseudonyms.MapUID(Part10.At(p).SOPInstanceUID)).Order(StringComparer.Ordinal)];

        IReadOnlyList<(string SopUID, string State)> rows = GatewayRows.Instances(gateway);
        ShouldBeSame(expected, rows.Select(static r => r.SopUID), "rows");
        HashSet<string> quarantined = [.. rows.Where(static r => r.State == "quarantined").Select(static r => r.SopUID)];
        string[] forwarded = [.. expected.Where(uid => !quarantined.Contains(uid))];
        ShouldBeSame(forwarded, await orthanc.SopInstanceUIDs(), "instances at the PACS");
        ShouldBeSame(expected, GatewayRows.Events(gateway, "Received"), "records of receipt");
        ShouldBeSame(forwarded, GatewayRows.Events(gateway, "Protected").Where(uid => !quarantined.Contains(uid)), "records of protection");
        ShouldBeSame(forwarded, GatewayRows.Events(gateway, "Forwarded"), "records of forwarding");

        (await gateway.Psg("audit", "verify")).ShouldSucceed();
        (await gateway.Stop()).ShouldBe(0, gateway.Output);
        await gateway.StartAgain();
        IReadOnlySet<string> owned = GatewayRows.OwnedFiles(gateway);
        SpoolFiles(gateway).Select(static f => Path.GetFileName(f)).Where(f => !owned.Contains(f)).ShouldBeEmpty("Files in the spool that no row owns.");
    }

    /// <summary>Every object's file in the spool: those under names of the gateway's own, not its locks and marks.</summary>
    public static IEnumerable<string> SpoolFiles(GatewayProcess gateway) =>
        Directory.EnumerateFiles(gateway.SpoolFolder, "*", SearchOption.AllDirectories).Where(static f => Guid.TryParseExact(Path.GetFileName(f), "N", out _));

    /// <summary>Fails with counts and a few of the differences, not with thousands of UIDs.</summary>
    private static void ShouldBeSame(IReadOnlyCollection<string> expected, IEnumerable<string> found, string what)
    {
        var counts = found.CountBy(static f => f).ToDictionary();
        string[] missing = [.. expected.Where(e => !counts.ContainsKey(e))];
        string[] foreign = [.. counts.Keys.Except(expected)];
        string[] doubled = [.. counts.Where(static c => c.Value > 1).Select(static c => $"{c.Key} x {c.Value}")];
        (missing.Length + foreign.Length + doubled.Length).ShouldBe(0,
            $"{what}: of {expected.Count} acknowledged {missing.Length} are missing ({First(missing)}), {foreign.Length} were never acknowledged ({First(foreign)}), {doubled.Length} are there more than once ({First(doubled)})");

        static string First(string[] some) => string.Join(", ", some.Take(3));
    }
}
