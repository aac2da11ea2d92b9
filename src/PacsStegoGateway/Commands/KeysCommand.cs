using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;
using PacsStegoGateway.Steganography.Sealing;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg keys new | list | rotate | retire</c>: the key ring.</summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string?> ring = new("--keys") { Description = "The key ring file. Default: the one of the configuration." };
        Argument<string> id = new("id") { Description = "Key id, eight hexadecimal digits, as 'psg keys list' prints it." };
        Option<bool> json = CommonOptions.Json();

        var create = new Command("new", "Makes a key ring with one key. Refuses to overwrite one: what it sealed would be lost.") { config, ring };
        create.SetAction(result => Create(Path(result.GetValue(config), result.GetValue(ring))));
        var list = new Command("list", "Lists the keys; never their secrets.") { config, ring, json };
        list.SetAction(result => List(Open(result.GetValue(config), result.GetValue(ring)), result.GetValue(json)));
        var rotate = new Command("rotate", "Adds a key and makes it the active one; older keys still open what they sealed.") { config, ring };
        rotate.SetAction(async (result, cancellation) =>
        {
            KeyRing keys = Open(result.GetValue(config), result.GetValue(ring));
            await OperatorGate.RecordAsync(result, AuditEvent.KeyChanged, $"psg keys rotate: {keys.ActiveKeyId:x8} gives way to a new key.", cancellation);
            return Say(keys.Rotate());
        });
        Option<bool> yes = new("--yes") { Description = "Really: no verb takes it back, only a copy of the ring from before." };
        var retire = new Command("retire", "Marks a key as retired: images it sealed can no longer be revealed with this ring, nor spool files under it be opened.") { id, yes, config, ring };
        retire.SetAction(async (result, cancellation) =>
        {
            uint key = ParseId(result.GetRequiredValue(id));
            KeyRing keys = ToRetire(key, result.GetValue(yes), () => Open(result.GetValue(config), result.GetValue(ring)));
            await OperatorGate.RecordAsync(result, AuditEvent.KeyChanged, $"psg keys retire {key:x8}.", cancellation);
            return Say(keys.Retire(key));
        });
        return new Command("keys", "Makes and manages the key ring that seals identities.") { create, list, rotate, retire };
    }

    private static string Path(string? config, string? ring)
    {
        if (ring is not null)
        {
            return ring;
        }

        GatewayOptions options = ConfigurationFile.LoadSections(config, "Keys");
        return options.InDataFolder(options.Keys.RingPath);
    }

    private static KeyRing Open(string? config, string? ring) => ring is not null
        ? KeyRing.Load(ring)
        : KeySource.Open(ConfigurationFile.LoadSections(config, "Keys"));

    private static int Create(string path)
    {
        if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        KeyRing ring = KeyRing.Create(path);
        Console.WriteLine($"{path}: key {ring.ActiveKeyId:x8} is active. Keep a copy of this file in a safe place: without it no original can be restored.");
        return ExitCode.Done;
    }

    private static int List(KeyRing ring, bool json)
    {
        if (json)
        {
            Output.WriteJson(ring.Keys.Select(static k => new { id = k.Id.ToString("x8", CultureInfo.InvariantCulture), created = k.Created, state = k.State.ToString() }));
            return ExitCode.Done;
        }

        var table = new Table().AddColumns("Key", "Created", "State");
        foreach (SealingKey key in ring.Keys)
        {
            table.AddRow(key.Id.ToString("x8", CultureInfo.InvariantCulture), key.Created.ToString("u", CultureInfo.InvariantCulture), key.State.ToString());
        }

        AnsiConsole.Write(table);
        return ExitCode.Done;
    }

    /// <summary>The ring, when the key in it can and shall be retired: only then is it recorded that it was.</summary>
    private static KeyRing ToRetire(uint id, bool sure, Func<KeyRing> open)
    {
        if (!sure)
        {
            throw new CommandException($"Images sealed under {id:x8} can then no longer be revealed, and what waits or lies in quarantine under it "
                + "no longer be opened. No verb takes that back: say --yes if it is meant.");
        }

        KeyRing ring = open();
        ring.RequireRetirable(id);
        return ring;
    }

    private static int Say(KeyRing ring)
    {
        Console.WriteLine($"Key {ring.ActiveKeyId:x8} is active; the ring has {ring.Keys.Count} keys. A running gateway takes them at its next start.");
        return ExitCode.Done;
    }

    private static uint ParseId(string id) =>
        uint.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            ? value
            : throw new CommandException($"'{id}' is not a key id: eight hexadecimal digits.");
}
