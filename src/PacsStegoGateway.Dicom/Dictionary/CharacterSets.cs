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
    /// The encoding of the defined terms, backslash separated. With code extensions (ISO 2022) the first term that
    /// names a character set beyond the default decides.
    /// </summary>
    public static Encoding Find(string? definedTerms)
    {
        foreach (string term in (definedTerms ?? "").Split('\\', StringSplitOptions.TrimEntries))
        {
            int? codePage = term.ToUpperInvariant() switch
            {
                "ISO_IR 192" => 65001,
                "GB18030" => 54936,
                "GBK" => 936,
                "ISO_IR 100" or "ISO 2022 IR 100" => 28591,
                "ISO_IR 101" or "ISO 2022 IR 101" => 28592,
                "ISO_IR 109" or "ISO 2022 IR 109" => 28593,
                "ISO_IR 110" or "ISO 2022 IR 110" => 28594,
                "ISO_IR 144" or "ISO 2022 IR 144" => 28595,
                "ISO_IR 127" or "ISO 2022 IR 127" => 28596,
                "ISO_IR 126" or "ISO 2022 IR 126" => 28597,
                "ISO_IR 138" or "ISO 2022 IR 138" => 28598,
                "ISO_IR 148" or "ISO 2022 IR 148" => 28599,
                "ISO_IR 203" or "ISO 2022 IR 203" => 28605,
                "ISO_IR 166" or "ISO 2022 IR 166" => 874,
                "ISO_IR 13" or "ISO 2022 IR 13" => 932,
                "ISO 2022 IR 87" or "ISO 2022 IR 159" => 50220,
                "ISO 2022 IR 149" => 949,
                "ISO 2022 IR 58" => 52936,
                _ => null,
            };
            if (codePage is { } page)
            {
                return Encoding.GetEncoding(page);
            }
        }

        return Default;
    }
}
