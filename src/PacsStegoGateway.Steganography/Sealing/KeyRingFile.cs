using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>One key as the file holds it; byte arrays are base64.</summary>
internal sealed record KeyRingEntry(uint Id, DateTimeOffset Created, KeyState State, byte[] Master, byte[] RecipientKey, byte[] RecipientCertificate);

/// <summary>The file's content, newest key first.</summary>
internal sealed record KeyRingDocument(byte[] PseudonymKey, IReadOnlyList<KeyRingEntry> Keys)
{
    public string Format { get; init; } = KeyRingFile.Format;
}

/// <summary>Reads and writes the JSON file: mode 0600, replaced in one step, flushed before it is renamed.</summary>
internal static partial class KeyRingFile
{
    internal const string Format = "PacsStegoGateway key ring 1";

    /// <summary>A ring of a hundred keys stays far below; anything longer is not a key ring.</summary>
    internal const int MaxLength = 4 << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static KeyRingDocument Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new KeyRingException(KeyRingError.NotFound, $"There is no key ring at {path}; make one, or correct the configured path.");
        }

        byte[] json;
        using (FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            // The open file is asked, not the path, so that nothing can be exchanged in between.
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
            {
                throw new KeyRingException(KeyRingError.TooOpen, $"Group or others may use the key ring {path}; run: chmod 600 {path}");
            }

            if (file.Length > MaxLength)
            {
                throw Damaged(path, $"it is longer than {MaxLength} bytes");
            }

            json = new byte[file.Length];
            file.ReadExactly(json);
        }

        return Parse(json, path);
    }

    /// <param name="json">Cleared afterwards.</param>
    /// <param name="origin">What messages call it.</param>
    public static KeyRingDocument Parse(byte[] json, string origin)
    {
        KeyRingDocument? document;
        try
        {
            document = json.Length > MaxLength
                ? throw Damaged(origin, $"it is longer than {MaxLength} bytes")
                : JsonSerializer.Deserialize(json, KeyRingJson.Default.KeyRingDocument);
        }
        catch (JsonException e)
        {
            // The inner exception is left out: it may quote the file.
            throw Damaged(origin, $"it is not readable JSON of a key ring (line {e.LineNumber + 1})");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
        }

        return Check(document) is { } problem ? throw Damaged(origin, problem) : document!;
    }

    public static void Write(string path, KeyRingDocument document, bool replace)
    {
        if (!replace && File.Exists(path))
        {
            throw new KeyRingException(KeyRingError.AlreadyExists, $"There is already a file at {path}; rotate that key ring, or choose another path.");
        }

        string fresh = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using (FileStream file = new(fresh, options))
            {
                JsonSerializer.Serialize(file, document, KeyRingJson.Default.KeyRingDocument);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: replace);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }

    internal static KeyRingException Damaged(string path, string problem, Exception? inner = null) =>
        new(KeyRingError.Damaged, $"{path} cannot be used as a key ring: {problem}. Restore it from its backup; what its keys sealed cannot be opened without it.", inner);

    private static string? Check(KeyRingDocument? document)
    {
        if (document?.Format != Format)
        {
            return $"its Format is not \"{Format}\"";
        }

        if (document.PseudonymKey is not { Length: SealingKey.KeyLength })
        {
            return "PseudonymKey is not 32 bytes";
        }

        if (document.Keys is null || document.Keys.Any(static key => key is null || key.Id == 0 || key.Master is not { Length: SealingKey.KeyLength }
            || key.RecipientKey is null || key.RecipientCertificate is null || !Enum.IsDefined(key.State)))
        {
            return "a key in it is incomplete";
        }

        return document.Keys.Count(static key => key.State == KeyState.Active) != 1 ? "not exactly one key is active"
            : document.Keys.DistinctBy(static key => key.Id).Count() != document.Keys.Count ? "two keys have the same id"
            : null;
    }

    [JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true)]
    [JsonSerializable(typeof(KeyRingDocument))]
    private sealed partial class KeyRingJson : JsonSerializerContext;
}
