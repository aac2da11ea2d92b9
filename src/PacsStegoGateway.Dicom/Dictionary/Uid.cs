namespace PacsStegoGateway.Dicom;

/// <summary>Rules for unique identifiers (PS3.5 9).</summary>
public static class Uid
{
    /// <summary>Longest UID, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>The root of every UID that the standard itself registers: classes, syntaxes, well-known frames of reference.</summary>
    public const string StandardRoot = "1.2.840.10008.";

    /// <summary>
    /// True for digits and dots, 1 to 64 characters, no empty component and no leading zero (PS3.5 9.1).
    /// Padding must have been removed.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<char> uid)
    {
        if (uid.IsEmpty || uid.Length > MaxLength)
        {
            return false;
        }

        int start = 0;
        for (int i = 0; i <= uid.Length; i++)
        {
            if (i < uid.Length && uid[i] != '.')
            {
                if (!char.IsAsciiDigit(uid[i]))
                {
                    return false;
                }

                continue;
            }

            int length = i - start;
            if (length == 0 || (length > 1 && uid[start] == '0'))
            {
                return false;
            }

            start = i + 1;
        }

        return true;
    }

    /// <summary>True for UIDs of the standard itself, which identify nobody and are never replaced.</summary>
    public static bool IsWellKnown(string uid) => uid.StartsWith(StandardRoot, StringComparison.Ordinal);

    /// <summary>A UID that nobody has used: the 2.25 form of a random UUID (PS3.5 B.2).</summary>
    public static string New() => FromBytes(Guid.NewGuid().ToByteArray(bigEndian: true));

    /// <summary>The 2.25 form of 128 bits, big endian (PS3.5 B.2): at most 44 characters.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bits)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bits.Length, 16);
        return "2.25." + new System.Numerics.BigInteger(bits, isUnsigned: true, isBigEndian: true);
    }
}
