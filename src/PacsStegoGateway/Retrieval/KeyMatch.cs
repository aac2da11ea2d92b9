using System.Globalization;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Retrieval;

/// <summary>Does a stored value satisfy a key? (PS3.4 C.2.2.2.)</summary>
/// <remarks>
/// Universal, single value, list of UID, wild card and range matching. Of several stored values one must satisfy the key, of several
/// keys one must be satisfied. Case matters, except in names of persons; accents do.
/// </remarks>
public static class KeyMatch
{
    /// <param name="vr">Of the key: decides which kind of matching is meant.</param>
    /// <param name="key">The key's text; empty matches everything (universal matching).</param>
    /// <param name="value">The stored text; null and empty are the same, and satisfy no other key than a universal one.</param>
    public static bool IsMatch(Vr vr, string key, string? value)
    {
        if (IsUniversal(key))
        {
            return true;
        }

        return !string.IsNullOrEmpty(value) && (HasOneValue(vr) ? IsOne(vr, key, value) : AnyOf(key, k => AnyOf(value, v => IsOne(vr, k, v))));
    }

    /// <summary>True when every value satisfies the key: it is empty, or asterisks alone.</summary>
    public static bool IsUniversal(string key) => key.AsSpan().Trim().TrimStart('*').IsEmpty;

    /// <summary>Text in which a backslash is a character (PS3.5 6.2).</summary>
    private static bool HasOneValue(Vr vr) => vr is Vr.LT or Vr.ST or Vr.UT or Vr.UR;

    private static bool AnyOf(string texts, Func<string, bool> predicate) =>
        texts.Contains('\\') ? texts.Split('\\').Any(predicate) : predicate(texts);

    private static bool IsOne(Vr vr, string key, string value) => vr switch
    {
        Vr.UI => key.Trim('\0', ' ') == value.Trim('\0', ' '),
        Vr.DA or Vr.TM or Vr.DT => Moments.IsMatch(vr, key, value),
        Vr.PN => IsPerson(key, value),
        Vr.IS or Vr.DS or Vr.US or Vr.SS or Vr.UL or Vr.SL or Vr.UV or Vr.SV or Vr.FL or Vr.FD => IsNumber(key, value),
        Vr.AE or Vr.CS or Vr.LO or Vr.LT or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT => IsLike(key.Trim(), value.Trim()),
        _ => key.Trim() == value.Trim(),
    };

    /// <summary>The meaning of a number counts, not how it is written (PS3.4 C.2.2.2.1).</summary>
    private static bool IsNumber(string key, string value) =>
        decimal.TryParse(key, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal wanted)
        && decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal found)
            ? wanted == found
            : key.Trim() == value.Trim();

    /// <summary>
    /// A key without "=" may be any of the component groups of a name (alphabetic, ideographic, phonetic), one with it must fit group by
    /// group. Delimiters at the end of a group say nothing (PS3.5 6.2.1).
    /// </summary>
    private static bool IsPerson(string key, string value)
    {
        string[] groups = value.Split('=');
        if (!key.Contains('='))
        {
            return groups.Any(g => IsGroup(key, g));
        }

        string[] wanted = key.Split('=');
        return wanted.Index().All(w => IsUniversal(w.Item) || (w.Index < groups.Length && IsGroup(w.Item, groups[w.Index])));

        static bool IsGroup(string key, string group) => IsLike(key.Trim().TrimEnd('^').ToUpperInvariant(), group.Trim().TrimEnd('^').ToUpperInvariant());
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
