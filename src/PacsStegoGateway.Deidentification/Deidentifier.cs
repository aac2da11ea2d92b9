using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>Splits a data set into a clean one and the identity record (PS3.15 Annex E). Thread-safe.</summary>
/// <remarks>It never looks at pixels: burned-in text is another room's matter.</remarks>
public sealed class Deidentifier
{
    private const string CodingScheme = "DCM";

    private readonly DeidentificationProfile _profile;
    private readonly Pseudonymizer _pseudonyms;

    public Deidentifier(DeidentificationProfile profile, Pseudonymizer pseudonyms)
    {
        _profile = profile;
        _pseudonyms = pseudonyms;
        MethodText = $"PacsStegoGateway {typeof(Deidentifier).Assembly.GetName().Version?.ToString(3)}; {profile.Name}";
    }

    /// <summary>What is written into (0012,0063) De-identification Method: product, profile and edition.</summary>
    public string MethodText { get; }

    /// <summary>
    /// De-identifies. The original is not changed; the clean set shares its value bytes but none of its items.
    /// </summary>
    public DeidentificationResult Deidentify(DataSet original)
    {
        var split = new Split(_pseudonyms, original);
        DataSet clean = split.Clean;
        var originals = new List<Element>(original.Count);
        var retained = new List<RetainedElement>();
        foreach (Element element in original)
        {
            if (StaysOnlyInCleanSet(element) && ReferenceEquals(clean.Find(element.Tag), element))
            {
                retained.Add(RetainedElement.Of(element));
            }
            else
            {
                originals.Add(element);
            }
        }

        Mark(clean);
        List<Tag> added = clean.Where(e => !original.Contains(e.Tag)).Select(static e => e.Tag).ToList();
        return new DeidentificationResult(clean, new IdentityRecord(originals, retained, added, split.Changes))
        {
            HasOverlayInPixelData = HasOverlayInPixelData(original),
        };
    }

    /// <summary>Pixel data always; other values when they are too long to be recorded twice without need.</summary>
    private static bool StaysOnlyInCleanSet(Element element) =>
        element.Tag == Tags.PixelData || element.Tag == Tags.FloatPixelData || element.Tag == Tags.DoubleFloatPixelData
        || (element.ValueLength > IdentityRecord.LongestRecordedValue && element.Vr != Vr.UN);

    /// <summary>Declares in the object what was done to it (PS3.15 E.1.1, PS3.3 C.12.1 and C.7.1.1).</summary>
    private void Mark(DataSet clean)
    {
        clean.SetText(Tags.PatientIdentityRemoved, "YES");
        clean.SetText(Tags.LongitudinalTemporalInformationModified, _profile.LongitudinalTemporalInformationModified);

        // What others did before stays said, byte for byte.
        byte[] method = System.Text.Encoding.ASCII.GetBytes(MethodText);
        if (clean.Find(Tags.DeidentificationMethod) is { ValueLength: > 0 } earlier)
        {
            byte[] before = earlier.Value.Span.TrimEnd(" \0"u8).ToArray();
            if (!before.AsSpan().EndsWith(method))
            {
                method = [.. before, (byte)'\\', .. method];
            }
            else
            {
                method = before;
            }
        }

        if ((method.Length & 1) != 0)
        {
            method = [.. method, Vr.LO.PaddingByte()];
        }

        clean.Set(Element.Raw(Tags.DeidentificationMethod, Vr.LO, method));

        IReadOnlyList<DataSet> codes = clean.Find(Tags.DeidentificationMethodCodeSequence)?.Items ?? [];
        if (!codes.Any(c => c.GetText(Tags.CodeValue) == _profile.Code.Value
            && c.GetText(Tags.CodingSchemeDesignator) == CodingScheme))
        {
            clean.Set(Element.Sequence(Tags.DeidentificationMethodCodeSequence,
                [.. codes, Dummies.CodeItem(_profile.Code.Value, CodingScheme, _profile.Code.Meaning)]));
        }
    }

    /// <summary>
    /// An overlay plane in unused bits of the pixels (PS3.3 C.9.2, before 2004): Overlay Bits Allocated is then that of
    /// the pixels, not 1, or the bit position is not zero. Overlay Data beside it proves nothing: it may be empty.
    /// </summary>
    private static bool HasOverlayInPixelData(DataSet original)
    {
        for (ushort group = 0x6000; group <= 0x60FF; group += 2)
        {
            if (Differs(new Tag(group, 0x0100), 1) || Differs(new Tag(group, 0x0102), 0))
            {
                return true;
            }
        }

        return false;

        bool Differs(Tag tag, int harmless) => original.Find(tag) is { IsEmpty: false } && original.GetInt32(tag) != harmless;
    }
}
