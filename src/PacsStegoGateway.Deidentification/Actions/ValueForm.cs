using System.Buffers;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// Whether a kept value has the form that its attribute promises. A name fits into any attribute when its VR or its
/// repertoire is not looked at.
/// </summary>
internal static class ValueForm
{
    private static readonly SearchValues<byte> DecimalCharacters = SearchValues.Create("0123456789+-Ee. \\\0"u8);
    private static readonly SearchValues<byte> IntegerCharacters = SearchValues.Create("0123456789+- \\\0"u8);

    /// <summary>Why the value cannot be kept, or null. For leaves that the dictionary knows.</summary>
    internal static string? Objection(Element element)
    {
        Vr meant = DataDictionary.VrOf(element.Tag, out Vr alternative);
        if (!IsReadableAs(element.Vr, meant, alternative))
        {
            return $"VR {element.Vr.Letters()} in an attribute of VR {meant.Letters()}";
        }

        // An older edition may have had IS where DS is now, and the other way round: the wider repertoire holds.
        Vr form = meant == Vr.IS && element.Vr == Vr.DS ? Vr.DS : meant;
        return element.Fragments is null && HasRepertoire(form) && !IsInRepertoire(element.Value.Span, form) ? $"not in the repertoire of {form.Letters()}" : null;
    }

    /// <summary>The VR itself, its alternative, those that editions exchanged, and free text for free text.</summary>
    private static bool IsReadableAs(Vr stored, Vr meant, Vr alternative) =>
        stored == meant || stored == alternative
        || (stored is Vr.OB or Vr.OW or Vr.UN && meant is Vr.OB or Vr.OW)
        || (stored is Vr.US or Vr.SS or Vr.OW && (IsWord(meant) || IsWord(alternative)) && (stored != Vr.OW || alternative != 0))
        || (IsFreeText(stored) && (IsFreeText(meant) || IsNumber(meant) || meant is Vr.AS or Vr.UI))
        || (IsNumber(stored) && IsNumber(meant));

    private static bool IsWord(Vr vr) => vr is Vr.US or Vr.SS;

    private static bool IsNumber(Vr vr) => vr is Vr.DS or Vr.IS;

    private static bool IsFreeText(Vr vr) =>
        vr is Vr.AE or Vr.CS or Vr.LO or Vr.LT or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT;

    /// <summary>Bulk data has none, and is not read.</summary>
    private static bool HasRepertoire(Vr vr) => vr is Vr.DS or Vr.IS or Vr.CS or Vr.AS or Vr.UI;

    /// <summary>PS3.5 6.2. Of CS printable ASCII passes: people type it in lower case, and the last look reads that.</summary>
    private static bool IsInRepertoire(ReadOnlySpan<byte> value, Vr vr) => vr switch
    {
        Vr.DS => !value.ContainsAnyExcept(DecimalCharacters),
        Vr.IS => !value.ContainsAnyExcept(IntegerCharacters),
        Vr.CS => !value.TrimEnd((byte)0).ContainsAnyExceptInRange((byte)' ', (byte)'~'),
        Vr.AS => EveryValue(value, static v => v.Length == 4 && !v[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') && "DWMY"u8.Contains(v[3])),
        Vr.UI => EveryValue(value, static v => v.Length <= Uid.MaxLength && Uid.IsValid(System.Text.Encoding.Latin1.GetString(v))),
        _ => true,
    };

    private static bool EveryValue(ReadOnlySpan<byte> text, Func<ReadOnlySpan<byte>, bool> isLegal)
    {
        foreach (Range range in text.Split((byte)'\\'))
        {
            ReadOnlySpan<byte> value = text[range].Trim(" \0"u8);
            if (!value.IsEmpty && !isLegal(value))
            {
                return false;
            }
        }

        return true;
    }
}
