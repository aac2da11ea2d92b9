namespace PacsStegoGateway.Dicom;

/// <summary>One coded character set of PS3.3 Tables C.12-2 to C.12-4 and the escape sequence that makes it active.</summary>
/// <param name="Number">Its ISO registration number, as in "ISO_IR 100".</param>
/// <param name="Escape">What follows ESC.</param>
/// <param name="IsG1">True when it is used through bytes with the high bit, false when through bytes without.</param>
/// <param name="Width">Bytes of one character.</param>
/// <param name="CodePage">The code page that holds its characters.</param>
/// <param name="Form">How its bytes become bytes of the code page.</param>
internal sealed record CodedSet(int Number, string Escape, bool IsG1, int Width, int CodePage, CodedSet.PageForm Form)
{
    /// <summary>The default repertoire.</summary>
    public static readonly CodedSet Ascii = new(6, "(B", false, 1, 20127, PageForm.AsIs);

    /// <summary>ISO IR 14, what ISO IR 13 has below 0x80: ASCII but for the looks of backslash and tilde.</summary>
    public static readonly CodedSet Romaji = new(14, "(J", false, 1, 20127, PageForm.AsIs);

    /// <summary>ISO IR 13, half-width katakana.</summary>
    public static readonly CodedSet Katakana = new(13, ")I", true, 1, 932, PageForm.AsIs);

    /// <summary>Every set that a code extension can make active.</summary>
    public static readonly CodedSet[] All =
    [
        Ascii,
        Romaji,
        Katakana,
        new(100, "-A", true, 1, 28591, PageForm.AsIs),
        new(101, "-B", true, 1, 28592, PageForm.AsIs),
        new(109, "-C", true, 1, 28593, PageForm.AsIs),
        new(110, "-D", true, 1, 28594, PageForm.AsIs),
        new(144, "-L", true, 1, 28595, PageForm.AsIs),
        new(127, "-G", true, 1, 28596, PageForm.AsIs),
        new(126, "-F", true, 1, 28597, PageForm.AsIs),
        new(138, "-H", true, 1, 28598, PageForm.AsIs),
        new(148, "-M", true, 1, 28599, PageForm.AsIs),
        new(203, "-b", true, 1, 28605, PageForm.AsIs),
        new(166, "-T", true, 1, 874, PageForm.AsIs),
        new(87, "$B", false, 2, 20932, PageForm.BothHigh),
        new(159, "$(D", false, 2, 20932, PageForm.FirstHigh),
        new(149, "$)C", true, 2, 949, PageForm.AsIs),
        new(58, "$)A", true, 2, 936, PageForm.AsIs),
    ];

    /// <summary>How the code page writes the characters of the set.</summary>
    public enum PageForm
    {
        /// <summary>With the same bytes.</summary>
        AsIs,

        /// <summary>With the high bit set in both bytes (JIS X 0208 in code page 20932).</summary>
        BothHigh,

        /// <summary>With the high bit set in the first byte (JIS X 0212 in code page 20932).</summary>
        FirstHigh,
    }

    /// <summary>The set of a term reduced to letters and digits ("ISOIR100", "ISO2022IR87"), or null.</summary>
    public static CodedSet? Find(string term)
    {
        string digits = term.StartsWith("ISO2022IR", StringComparison.Ordinal) ? term[9..]
            : term.StartsWith("ISOIR", StringComparison.Ordinal) ? term[5..]
            : "";
        return Array.Find(All, s => s.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) == digits);
    }
}
