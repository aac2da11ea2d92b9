using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>A text of an original that the profile removes or replaces, as it stood in the bytes.</summary>
public sealed record RemovedValue(string Path, byte[] Bytes)
{
    private const int ShortestText = 4;

    private const int LongestChance = 7;

    /// <summary>Texts of 4 characters and more, and UIDs that are not the standard's own.</summary>
    /// <remarks>
    /// A number or code of a private or removed element that also stands, legitimately, in an element that the profile keeps is
    /// left out ("HEAD", "1.00"): its occurrence tells nobody anything. Names, identifiers, dates and UIDs are never left out.
    /// </remarks>
    public static IEnumerable<RemovedValue> Of(DataSet original, Deidentifier deidentifier)
    {
        DeidentificationResult result = deidentifier.Deidentify(original);
        string kept = string.Join('\n', Kept(original, result.Clean));
        // What every de-identified object says of itself ("YES", "REMOVED") is nobody's name, whoever was called so before.
        HashSet<string> said = [.. result.Clean.Where(static e => e.Tag.Group == 0x0012 || e.Tag == Tags.LongitudinalTemporalInformationModified)
            .SelectMany(Texts).Select(static t => t.Text)];
        foreach (AttributeChange change in result.Identity.Changes)
        {
            foreach ((Vr vr, string text) in Texts(change.Original))
            {
                bool isIdentifying = vr is Vr.PN or Vr.UI or Vr.DA or Vr.DT || change.Original.Tag == Tags.PatientID;
                if (!said.Contains(text) && (isIdentifying || !kept.Contains(text, StringComparison.Ordinal)))
                {
                    yield return new RemovedValue(change.Path, CharacterSets.Default.GetBytes(text));
                }
            }
        }
    }

    /// <summary>True when the bytes are in the stored file: in its pixels only when the original's pixels had not held them by chance.</summary>
    /// <remarks>
    /// The digits of a pseudonymous UID come from a keyed hash, so each run of four of them is a given Study ID once in ten
    /// thousand: a few percent for a file. Numbers of up to <see cref="LongestChance"/> digits are not looked for inside them.
    /// </remarks>
    public bool OccursIn(Part10 held, Part10 sent)
    {
        ReadOnlySpan<byte> file = held.Bytes;
        int pixels = file.LastIndexOf(held.PixelData.Span);
        return StandsIn(file[..pixels])
            || StandsIn(file[(pixels + held.PixelData.Length)..])
            || (held.PixelData.Span.IndexOf(Bytes) >= 0 && sent.PixelData.Span.IndexOf(Bytes) < 0);
    }

    private bool StandsIn(ReadOnlySpan<byte> bytes)
    {
        bool mayBeChance = Bytes.Length <= LongestChance && Bytes.AsSpan().IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        for (int start = bytes.IndexOf(Bytes); start >= 0;)
        {
            if (!mayBeChance || !IsInPseudonymousUid(bytes, start))
            {
                return true;
            }

            int next = bytes[(start + 1)..].IndexOf(Bytes);
            start = next < 0 ? next : start + 1 + next;
        }

        return false;
    }

    /// <summary>True when the digits around a place are those of a UID "2.25.n".</summary>
    private static bool IsInPseudonymousUid(ReadOnlySpan<byte> bytes, int place)
    {
        ReadOnlySpan<byte> before = bytes[..place];
        int firstDigit = before.LastIndexOfAnyExceptInRange((byte)'0', (byte)'9') + 1;
        return before[..firstDigit].EndsWith("2.25."u8);
    }

    /// <summary>Texts of elements that stand in both data sets at the same place with the same bytes.</summary>
    private static IEnumerable<string> Kept(DataSet original, DataSet clean)
    {
        foreach (Element element in clean)
        {
            if (original.Find(element.Tag) is not { } same)
            {
                continue;
            }

            if (element.Items is { } items && same.Items is { } before && items.Count == before.Count)
            {
                foreach (string text in items.Zip(before).SelectMany(static p => Kept(p.Second, p.First)))
                {
                    yield return text;
                }
            }
            else if (element.Value.Span.SequenceEqual(same.Value.Span))
            {
                foreach ((_, string text) in Texts(element))
                {
                    yield return text;
                }
            }
        }
    }

    private static IEnumerable<(Vr Vr, string Text)> Texts(Element element)
    {
        if (element.Items is { } items)
        {
            return items.SelectMany(static i => i).SelectMany(Texts);
        }

        // UN is what a reader without the dictionary of a private creator sees: mostly text, and text is what leaks.
        if (!element.Vr.IsText() && !(element.Vr == Vr.UN && element.Value.Span.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0))
        {
            return [];
        }

        return CharacterSets.Default.GetString(element.Value.Span).Split('\\')
            .Select(static t => t.Trim(' ', '\0'))
            .Where(t => t.Length >= ShortestText && !(element.Vr == Vr.UI && Uid.IsWellKnown(t)))
            .Select(t => (element.Vr, t))
            .ToList();
    }
}
