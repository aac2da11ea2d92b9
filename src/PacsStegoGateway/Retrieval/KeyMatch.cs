using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Retrieval;

/// <summary>Does a stored value satisfy a key? (PS3.4 C.2.2.2.)</summary>
public static class KeyMatch
{
    /// <param name="vr">Of the key: decides which kind of matching is meant.</param>
    /// <param name="key">The key's text; empty matches everything (universal matching).</param>
    /// <param name="value">The stored text; null and empty are the same.</param>
    public static bool IsMatch(Vr vr, string key, string? value)
    {
        value ??= "";
        if (key.Length == 0 || key == "*")
        {
            return true;
        }

        return vr switch
        {
            Vr.UI => key.Split('\\').Any(k => k.Trim('\0', ' ') == value),
            Vr.DA => IsInRange(key.Replace(".", "", StringComparison.Ordinal), value),
            Vr.TM => IsInRange(key, value),
            // PS3.4 C.2.2.2.1: case of person names does not matter, here; everywhere else it does.
            Vr.PN => IsLike(key.ToUpperInvariant().TrimEnd('^'), value.ToUpperInvariant().TrimEnd('^')),
            _ => key.Split('\\').Any(k => IsLike(k, value)),
        };
    }

    /// <summary>Range matching: <c>from-to</c>, <c>from-</c>, <c>-to</c>, or one value.</summary>
    private static bool IsInRange(string key, string value)
    {
        int dash = key.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
        {
            return key == value;
        }

        string from = key[..dash].Trim();
        string to = key[(dash + 1)..].Trim();
        return value.Length > 0
            && string.CompareOrdinal(value, 0, from, 0, from.Length) >= 0
            && (to.Length == 0 || string.CompareOrdinal(value, 0, to, 0, to.Length) <= 0);
    }

    /// <summary>Wild cards: <c>*</c> any characters, <c>?</c> one. Bounded by the product of both lengths, whatever the pattern.</summary>
    public static bool IsLike(string pattern, string value)
    {
        int p = 0, v = 0, star = -1, resume = 0;
        while (v < value.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = v;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == value[v]))
            {
                p++;
                v++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                v = ++resume;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }

        return p == pattern.Length;
    }
}
