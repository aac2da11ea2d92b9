using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PacsStegoGateway.Security;

/// <summary>A passcode as the configuration may hold it: <c>pbkdf2-sha512$ITERATIONS$SALT$HASH</c>, salt and hash in base64 (RFC 8018).</summary>
public static class PasscodeHash
{
    /// <summary>Stands where a name alone is enough, PS3.7 D.3.3.7 type 1.</summary>
    public const string None = "none";

    private const string Scheme = "pbkdf2-sha512";
    private const int Iterations = 210_000;
    private const int FewestIterations = 1_000;

    /// <summary>A second of one core: more would let a configuration stop the door.</summary>
    private const int MostIterations = 2_000_000;
    private const int SaltLength = 16;
    private const int HashLength = 32;

    /// <summary>Compared with when there is no such user, so that the time does not tell.</summary>
    private static readonly string Nobody = Create("nobody");

    public static string Create(string passcode) => Create(passcode, Iterations);

    internal static string Create(string passcode, int iterations)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltLength);
        return string.Create(CultureInfo.InvariantCulture,
            $"{Scheme}${iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(Derive(Encoding.UTF8.GetBytes(passcode), salt, iterations))}");
    }

    /// <summary>True when it is <see cref="None"/> or a hash that can be verified.</summary>
    public static bool IsWellFormed(string text) => text == None || TryParse(text, out _, out _, out _);

    /// <summary>Takes the same time for any passcode.</summary>
    /// <param name="hash">Null: there is no such user; the answer is false after the time that another would take.</param>
    /// <param name="passcode">As it came, UTF-8.</param>
    public static bool IsMatch(string? hash, ReadOnlySpan<byte> passcode)
    {
        if (!TryParse(hash ?? Nobody, out int iterations, out byte[] salt, out byte[] expected))
        {
            return false;
        }

        byte[] actual = Derive(passcode, salt, iterations);
        return CryptographicOperations.FixedTimeEquals(actual, expected) && hash is not null;
    }

    private static byte[] Derive(ReadOnlySpan<byte> passcode, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(passcode, salt, iterations, HashAlgorithmName.SHA512, HashLength);

    private static bool TryParse(string text, out int iterations, out byte[] salt, out byte[] hash)
    {
        (iterations, salt, hash) = (0, [], []);
        string[] parts = text.Split('$');
        if (parts.Length != 4 || parts[0] != Scheme
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out iterations)
            || iterations is < FewestIterations or > MostIterations)
        {
            return false;
        }

        Span<byte> buffer = stackalloc byte[64];
        if (!Convert.TryFromBase64String(parts[2], buffer, out int saltLength) || saltLength != SaltLength)
        {
            return false;
        }

        salt = buffer[..saltLength].ToArray();
        if (!Convert.TryFromBase64String(parts[3], buffer, out int hashLength) || hashLength != HashLength)
        {
            return false;
        }

        hash = buffer[..hashLength].ToArray();
        return true;
    }
}
