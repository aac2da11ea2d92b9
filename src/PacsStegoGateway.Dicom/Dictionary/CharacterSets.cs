using System.Text;

namespace PacsStegoGateway.Dicom;

/// <summary>Encodings for (0008,0005) Specific Character Set (PS3.3 C.12.1.1.2).</summary>
/// <remarks>Text is a view on raw bytes that are kept: an unknown term falls back to the default and loses nothing.</remarks>
public static class CharacterSets
{
    static CharacterSets() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>ISO IR 6, read as Latin-1 so that every byte has a character and comes back as the same byte.</summary>
    public static Encoding Default => Encoding.Latin1;

    /// <summary>
    /// The encoding of the defined terms, backslash separated. More than one term, or one of ISO 2022, is an encoding
    /// that follows the escape sequences in the text. Terms are recognised whatever stands between their letters and
    /// digits ("ISO IR 100", "ISO_IR-100"), as the field writes them.
    /// </summary>
    public static Encoding Find(string? definedTerms)
    {
        if (string.IsNullOrWhiteSpace(definedTerms))
        {
            return Default;
        }

        string[] terms = definedTerms.Split('\\');
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = Plain(terms[i]);
        }

        return terms[0] switch
        {
            "ISOIR192" or "UTF8" => Encoding.UTF8,

            // Bytes beyond ASCII are against the declaration, and shown nevertheless.
            "ISOIR6" or "ISOIR14" when terms.Length == 1 => Default,
            "GB18030" => Encoding.GetEncoding(54936),
            "GBK" => Encoding.GetEncoding(936),
            _ when terms.Length > 1 || terms[0].StartsWith("ISO2022", StringComparison.Ordinal) => new CodeExtensionEncoding(terms),
            _ => CodedSet.Find(terms[0]) is { } set ? Encoding.GetEncoding(set.CodePage) : Default,
        };
    }

    /// <summary>The encoding for a value of this VR: code extensions end at the VR's delimiters (PS3.5 6.1.2.5.3).</summary>
    internal static Encoding For(Encoding encoding, Vr vr) => encoding is CodeExtensionEncoding extensions ? extensions.For(vr) : encoding;

    private static string Plain(string term) => string.Concat(term.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
}
