using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PacsStegoGateway.Dicom;

/// <summary>A data element tag (PS3.5 7.1): group and element number, ordered as a data set orders its elements.</summary>
public readonly record struct Tag(ushort Group, ushort Element) : IComparable<Tag>
{
    /// <summary>Creates a tag from its 32-bit form, group in the high half.</summary>
    public Tag(uint value) : this((ushort)(value >> 16), (ushort)value)
    {
    }

    /// <summary>The 32-bit form, group in the high half; the sort key of a data set.</summary>
    public uint Value => ((uint)Group << 16) | Element;

    /// <summary>True for odd groups (PS3.5 7.8).</summary>
    public bool IsPrivate => (Group & 1) != 0;

    /// <summary>True for (gggg,0010-00FF) of an odd group: the element that reserves a private block (PS3.5 7.8.1).</summary>
    public bool IsPrivateCreator => IsPrivate && Element is >= 0x10 and <= 0xFF;

    /// <summary>True for (gggg,0000) (PS3.5 7.2; retired outside the command set and the file meta information).</summary>
    public bool IsGroupLength => Element == 0;

    /// <inheritdoc/>
    public int CompareTo(Tag other) => Value.CompareTo(other.Value);

    public static bool operator <(Tag left, Tag right) => left.Value < right.Value;

    public static bool operator >(Tag left, Tag right) => left.Value > right.Value;

    public static bool operator <=(Tag left, Tag right) => left.Value <= right.Value;

    public static bool operator >=(Tag left, Tag right) => left.Value >= right.Value;

    /// <summary>Reads <c>(gggg,eeee)</c>, <c>gggg,eeee</c> or <c>ggggeeee</c>, hexadecimal in either case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Tag tag)
    {
        tag = default;
        if (text is null)
        {
            return false;
        }

        ReadOnlySpan<char> digits = text.AsSpan().Trim();
        if (digits.Length == 11 && digits[0] == '(' && digits[^1] == ')')
        {
            digits = digits[1..^1];
        }

        Span<char> plain = stackalloc char[8];
        if (digits.Length == 9 && digits[4] == ',')
        {
            digits[..4].CopyTo(plain);
            digits[5..].CopyTo(plain[4..]);
        }
        else if (digits.Length == 8)
        {
            digits.CopyTo(plain);
        }
        else
        {
            return false;
        }

        if (!uint.TryParse(plain, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value))
        {
            return false;
        }

        tag = new Tag(value);
        return true;
    }

    /// <summary>The form the standard prints: <c>(0010,0020)</c>.</summary>
    public override string ToString() => $"({Group:X4},{Element:X4})";
}
