using System.Text;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// Text with ISO 2022 code extensions as DICOM allows them (PS3.5 6.1.2.5): escape sequences make a set active in G0
/// (bytes below 0x80) or G1 (bytes above), and line ends and the delimiters of the VR make those of the first term
/// active again: the backslash where it separates values, ^ and = in a person's name.
/// </summary>
internal sealed class CodeExtensionEncoding : Encoding
{
    private const byte Esc = 0x1B;

    private readonly CodedSet[] _declared;
    private readonly CodedSet _initialG0;
    private readonly CodedSet? _initialG1;
    private readonly string _delimiters;
    private readonly CodeExtensionEncoding[] _forVrs;

    /// <param name="terms">Defined terms reduced to letters and digits; an empty first one is the default repertoire.</param>
    public CodeExtensionEncoding(string[] terms)
    {
        CodedSet? first = CodedSet.Find(terms[0]);
        _declared = terms.Select(CodedSet.Find).OfType<CodedSet>().ToArray();
        _initialG0 = first == CodedSet.Katakana ? CodedSet.Romaji : CodedSet.Ascii;
        _initialG1 = first is { IsG1: true } ? first : null;
        _delimiters = "\\^=";
        _forVrs = [this, new CodeExtensionEncoding(this, "\\"), new CodeExtensionEncoding(this, "")];
    }

    private CodeExtensionEncoding(CodeExtensionEncoding other, string delimiters)
    {
        (_declared, _initialG0, _initialG1) = (other._declared, other._initialG0, other._initialG1);
        _delimiters = delimiters;
        _forVrs = [];
    }

    /// <summary>The same encoding with the delimiters of this VR; without, those of a person's name hold.</summary>
    public CodeExtensionEncoding For(Vr vr) =>
        _forVrs.Length == 0 ? this : _forVrs[vr == Vr.PN ? 0 : vr.AllowsMultipleText() ? 1 : 2];

    public override string EncodingName => "ISO 2022 by " + string.Join('\\', _declared.Select(static s => s.Number));

    public override int GetCharCount(byte[] bytes, int index, int count) => Decode(bytes.AsSpan(index, count)).Length;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        string text = Decode(bytes.AsSpan(byteIndex, byteCount));
        text.CopyTo(chars.AsSpan(charIndex));
        return text.Length;
    }

    public override int GetByteCount(char[] chars, int index, int count) => Encode(chars.AsSpan(index, count)).Count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
    {
        List<byte> encoded = Encode(chars.AsSpan(charIndex, charCount));
        encoded.CopyTo(bytes, byteIndex);
        return encoded.Count;
    }

    /// <summary>An escape sequence before and one after each character, and two bytes of it.</summary>
    public override int GetMaxByteCount(int charCount) => checked((charCount * 10) + 8);

    /// <summary>Each byte one character, at most two for pages with combining marks.</summary>
    public override int GetMaxCharCount(int byteCount) => checked((byteCount * 2) + 1);

    private string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        CodedSet g0 = _initialG0;
        CodedSet? g1 = _initialG1;
        Span<byte> page = stackalloc byte[2];
        Span<char> chars = stackalloc char[4];
        while (!bytes.IsEmpty)
        {
            byte first = bytes[0];
            if (first == Esc && Escaped(bytes[1..]) is { } set)
            {
                if (set.IsG1)
                {
                    g1 = set;
                }
                else
                {
                    g0 = set;
                }

                bytes = bytes[(1 + set.Escape.Length)..];
                continue;
            }

            CodedSet? active = first < 0x80 ? g0 : g1;
            if (first < 0x21 || active is null || (active.Width == 1 && first < 0x80) || active.Width > bytes.Length)
            {
                text.Append((char)first);
                bytes = bytes[1..];
                if (IsReset(first))
                {
                    g0 = _initialG0;
                    g1 = _initialG1;
                }

                continue;
            }

            bytes[..active.Width].CopyTo(page);
            if (active.Form != CodedSet.PageForm.AsIs)
            {
                page[0] |= 0x80;
                page[1] |= (byte)(active.Form == CodedSet.PageForm.BothHigh ? 0x80 : 0);
            }

            text.Append(chars[..GetEncoding(active.CodePage).GetChars(page[..active.Width], chars)]);
            bytes = bytes[active.Width..];
        }

        return text.ToString();
    }

    private List<byte> Encode(ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length + 16);
        CodedSet g0 = _initialG0;
        CodedSet? g1 = _initialG1;
        foreach (char c in text)
        {
            if (c < 0x80)
            {
                Activate(bytes, _initialG0, ref g0);
                bytes.Add((byte)c);
                g1 = IsReset((byte)c) ? _initialG1 : g1;
                continue;
            }

            if (Encode(c, g1) is not ({ } set, { } coded))
            {
                bytes.Add((byte)'?');
                continue;
            }

            if (set.IsG1)
            {
                if (g1 != set)
                {
                    CodedSet active = g0;
                    Activate(bytes, set, ref active);
                    g1 = set;
                }
            }
            else
            {
                Activate(bytes, set, ref g0);
            }

            bytes.AddRange(coded);
        }

        Activate(bytes, _initialG0, ref g0);
        return bytes;
    }

    private static void Activate(List<byte> bytes, CodedSet set, ref CodedSet active)
    {
        if (active != set)
        {
            bytes.Add(Esc);
            bytes.AddRange(Encoding.ASCII.GetBytes(set.Escape));
            active = set;
        }
    }

    /// <summary>The first declared set that has the character, the active one before the others.</summary>
    private (CodedSet? Set, byte[]? Bytes) Encode(char c, CodedSet? active)
    {
        foreach (CodedSet set in active is null ? _declared : _declared.Prepend(active))
        {
            byte[] page = GetEncoding(set.CodePage).GetBytes([c]);
            bool isOfPage = page.Length == set.Width && GetEncoding(set.CodePage).GetString(page) is [var back] && back == c;
            bool isOfSet = isOfPage && page[0] >= 0x80 && (set.Width == 1 || set.Form switch
            {
                CodedSet.PageForm.AsIs => page[0] >= 0xA1 && page[1] >= 0xA1,
                CodedSet.PageForm.BothHigh => page[1] >= 0x80,
                _ => page[1] < 0x80,
            });
            if (isOfSet)
            {
                return (set, set.Form == CodedSet.PageForm.AsIs ? page : [.. page.Select(static b => (byte)(b & 0x7F))]);
            }
        }

        return (null, null);
    }

    private static CodedSet? Escaped(ReadOnlySpan<byte> afterEsc)
    {
        foreach (CodedSet set in CodedSet.All)
        {
            if (afterEsc.Length >= set.Escape.Length && Ascii.Equals(afterEsc[..set.Escape.Length], set.Escape))
            {
                return set;
            }
        }

        return null;
    }

    private bool IsReset(byte b) => b is 0x09 or 0x0A or 0x0C or 0x0D || _delimiters.Contains((char)b, StringComparison.Ordinal);
}
