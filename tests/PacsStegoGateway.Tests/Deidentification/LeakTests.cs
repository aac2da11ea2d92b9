using System.Text;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

/// <summary>
/// A judge that knows nothing of how values are removed: it takes the originals' values by the table alone and looks for
/// them, as characters, in what is sent out.
/// </summary>
public sealed class LeakTests
{
    private static readonly Deidentifier Deidentifier = new(DeidentificationProfile.Basic, new Pseudonymizer(new byte[32]));

    /// <summary>An attribute's text value that the table removes or replaces.</summary>
    private sealed record Secret(Tag Tag, Vr Vr, string Text)
    {
        /// <summary>Names, numbers, dates, UIDs; the others are descriptions, such as "HEAD".</summary>
        public bool Identifies => Vr is Vr.PN or Vr.UI or Vr.DA or Vr.DT
            || ProfileTable.Find(Tag)!.Value.ActionOf(DeidentificationOption.CleanDescriptors) is null;
    }

    [Theory]
    [InlineData("data/train", 360)]
    [InlineData("data/conformance", 330)]
    public void No_identifying_value_is_anywhere_in_the_bytes_of_the_clean_set(string folder, int atLeast)
    {
        int files = 0;
        var leaks = new List<string>();
        foreach ((string path, DicomFile file) in DataFiles.ReadAll(folder))
        {
            files++;
            DataSet clean = WithoutPixels(Deidentifier.Deidentify(file.DataSet).Clean);
            // (0028,0303) must say REMOVED, which some sites also wrote for names; the marks are ours, not the object's.
            foreach (Tag mark in Marks)
            {
                clean.Remove(mark);
            }

            string bytes = Encoding.Latin1.GetString(DataSetWriter.ToArray(clean, file.TransferSyntax));
            foreach (Secret secret in SecretsOf(file.DataSet).Where(static s => s.Identifies && s.Text.Length >= 8))
            {
                if (bytes.Contains(secret.Text, StringComparison.Ordinal))
                {
                    leaks.Add($"{Path.GetFileName(path)} {secret.Tag} {secret.Vr} {secret.Text.Length} characters");
                }
            }
        }

        leaks.ShouldBeEmpty();
        files.ShouldBeGreaterThan(atLeast);
    }

    [Theory]
    [InlineData("data/train")]
    [InlineData("data/conformance")]
    public void No_removed_text_of_four_characters_stands_in_a_kept_text(string folder)
    {
        var leaks = new List<string>();
        foreach ((string path, DicomFile file) in DataFiles.ReadAll(folder))
        {
            DataSet clean = Deidentifier.Deidentify(file.DataSet).Clean;
            List<Secret> secrets = SecretsOf(file.DataSet);
            foreach ((string place, DataSet holder, Element element) in TextsOf(clean, ""))
            {
                // A number, or a term of the standard or of a standard coding scheme, may read like a description.
                bool isTerm = element.Vr == Vr.CS || holder.GetText(Tags.CodingSchemeDesignator) is "DCM" or "SRT" or "SCT" or "SNM3";
                string text = Encoding.Latin1.GetString(element.Value.Span);
                foreach (Secret secret in secrets)
                {
                    if (element.Vr is not (Vr.DS or Vr.IS) && (!isTerm || (secret.Identifies && element.Vr != Vr.CS)) && IsIn(text, secret))
                    {
                        leaks.Add($"{Path.GetFileName(path)} {secret.Tag} in {place}");
                    }
                }
            }
        }

        leaks.ShouldBeEmpty();
    }

    private static Tag[] Marks => [Tags.PatientIdentityRemoved, Tags.DeidentificationMethod, Tags.DeidentificationMethodCodeSequence,
        Tags.LongitudinalTemporalInformationModified];

    /// <summary>Whole words only: "TEST" is not in "TESTIMONY".</summary>
    private static bool IsIn(string text, Secret secret)
    {
        for (int at = text.IndexOf(secret.Text, StringComparison.Ordinal); at >= 0; at = text.IndexOf(secret.Text, at + 1, StringComparison.Ordinal))
        {
            int end = at + secret.Text.Length;
            if ((at == 0 || !IsWord(text[at - 1])) && (end == text.Length || !IsWord(text[end])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_' || c >= 0x80;

    private static List<Secret> SecretsOf(DataSet dataSet)
    {
        var secrets = new HashSet<Secret>();
        Collect(dataSet, secrets);
        return [.. secrets];
    }

    private static void Collect(DataSet dataSet, HashSet<Secret> secrets)
    {
        foreach (Element element in dataSet)
        {
            foreach (DataSet item in element.Items ?? [])
            {
                Collect(item, secrets);
            }

            Vr vr = element.Vr == Vr.UN ? DataDictionary.VrOf(element.Tag) : element.Vr;
            if (element.Items is not null || element.Tag.IsPrivate || ProfileTable.Find(element.Tag) is null || !vr.IsText()
                || vr is Vr.DS or Vr.IS or Vr.CS or Vr.TM)
            {
                continue;
            }

            string text = Encoding.Latin1.GetString(element.Value.Span);
            foreach (string value in vr.AllowsMultipleText() ? text.Split('\\') : [text])
            {
                string trimmed = value.Trim(' ', '\0');
                if (trimmed.Length >= 4 && !Uid.IsWellKnown(trimmed))
                {
                    secrets.Add(new Secret(element.Tag, vr, trimmed));
                }
            }
        }
    }

    private static IEnumerable<(string Place, DataSet Holder, Element Element)> TextsOf(DataSet dataSet, string path)
    {
        foreach (Element element in dataSet)
        {
            if (path.Length == 0 && Marks.Contains(element.Tag))
            {
                continue;
            }

            foreach (DataSet item in element.Items ?? [])
            {
                foreach (var below in TextsOf(item, $"{path}{element.Tag}/"))
                {
                    yield return below;
                }
            }

            if (element.Items is null && element.Vr.IsText())
            {
                yield return ($"{path}{element.Tag}", dataSet, element);
            }
        }
    }

    private static DataSet WithoutPixels(DataSet clean)
    {
        DataSet copy = clean.Clone();
        copy.Remove(Tags.PixelData);
        copy.Remove(Tags.FloatPixelData);
        copy.Remove(Tags.DoubleFloatPixelData);
        return copy;
    }
}
