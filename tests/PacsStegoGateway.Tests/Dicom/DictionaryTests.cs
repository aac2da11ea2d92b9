using System.Diagnostics;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

public class DictionaryTests
{
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task The_generated_tables_are_what_the_generator_makes()
    {
        string source = SharedData.Require("standard-data");
        Assert.SkipUnless(File.Exists(Python), "python3 is not installed.");
        string folder = Directory.CreateTempSubdirectory("dictionary-").FullName;
        try
        {
            string script = Path.Combine(SharedData.RepositoryRoot, "scripts", "generate-dictionary.py");
            using var process = Process.Start(new ProcessStartInfo(Python, [script, source, "--out", folder]) { RedirectStandardOutput = true })!;
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.ExitCode.ShouldBe(0);

            string generated = Path.Combine(SharedData.RepositoryRoot, "src", "PacsStegoGateway.Dicom", "Dictionary", "Generated");
            string[] names = [.. Directory.GetFiles(generated).Select(static p => Path.GetFileName(p)).Order()];
            Directory.GetFiles(folder).Select(static p => Path.GetFileName(p)).Order().ShouldBe(names);
            foreach (string name in names)
            {
                (await File.ReadAllTextAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken)
                    == await File.ReadAllTextAsync(Path.Combine(generated, name), TestContext.Current.CancellationToken)).ShouldBeTrue(name);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("(0010,0010)", 0x00100010u)]
    [InlineData("7fe0,0010", 0x7FE00010u)]
    [InlineData("0008103E", 0x0008103Eu)]
    public void A_tag_is_read_in_the_forms_people_write(string text, uint value)
    {
        Tag.TryParse(text, out Tag tag).ShouldBeTrue();
        tag.Value.ShouldBe(value);
        Tag.TryParse(tag.ToString(), out Tag again).ShouldBeTrue();
        again.ShouldBe(tag);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("(0010,0010")]
    [InlineData("0010,001G")]
    [InlineData("00100010 1")]
    public void What_is_no_tag_is_refused(string? text) => Tag.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Tags_know_what_they_are()
    {
        new Tag(0x0009, 0x0010).IsPrivateCreator.ShouldBeTrue();
        new Tag(0x0009, 0x1001).IsPrivateCreator.ShouldBeFalse();
        new Tag(0x0009, 0x1001).IsPrivate.ShouldBeTrue();
        new Tag(0x0008, 0x0000).IsGroupLength.ShouldBeTrue();
        (Tags.PatientName < Tags.PatientID).ShouldBeTrue();
    }

    [Fact]
    public void Implicit_VRs_come_from_the_dictionary_or_the_rules_of_private_groups()
    {
        DataDictionary.VrOf(Tags.PatientName).ShouldBe(Vr.PN);
        DataDictionary.VrOf(new Tag(0x6002, 0x3000)).ShouldBe(Vr.OW); // overlay data, a repeating group
        DataDictionary.VrOf(new Tag(0x0009, 0x0010)).ShouldBe(Vr.LO);
        DataDictionary.VrOf(new Tag(0x0009, 0x1001)).ShouldBe(Vr.UN);
        DataDictionary.VrOf(new Tag(0x0008, 0x0000)).ShouldBe(Vr.UL);
        DataDictionary.VrOf(Tags.SmallestImagePixelValue, out Vr alternative).ShouldBe(Vr.US);
        alternative.ShouldBe(Vr.SS);
    }

    [Fact]
    public void Every_entry_has_a_known_VR_and_is_found_by_its_keyword()
    {
        DataDictionary.TryFindKeyword("patientname", out Tag name).ShouldBeTrue();
        name.ShouldBe(Tags.PatientName);
        DataDictionary.TryFindKeyword("NoSuchKeyword", out _).ShouldBeFalse();
        foreach (System.Reflection.PropertyInfo property in typeof(Tags).GetProperties())
        {
            var tag = (Tag)property.GetValue(null)!;
            DictionaryEntry entry = DataDictionary.Find(tag)!.Value;
            entry.Keyword.ShouldBe(property.Name);
            entry.Vr.IsKnown().ShouldBeTrue(property.Name);
        }
    }

    [Fact]
    public void The_traits_of_every_VR_agree_with_the_standard()
    {
        foreach (Vr vr in Enum.GetValues<Vr>())
        {
            vr.IsKnown().ShouldBeTrue();
            vr.Letters().ShouldBe(vr.ToString());
            (vr.IsText() && vr.SwapUnit() != 1).ShouldBeFalse();
        }

        ((Vr)0x2020).IsKnown().ShouldBeFalse();
        Enum.GetValues<Vr>().Where(static v => v.HasLongHeader()).Order().Select(static v => v.Letters())
            .ShouldBe(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2", true)]
    [InlineData("0.0", true)]
    [InlineData("", false)]
    [InlineData("1..2", false)]
    [InlineData("1.02", false)]
    [InlineData("1.2.", false)]
    [InlineData("1.2a", false)]
    [InlineData("1.2345678901234567890123456789012345678901234567890123456789012", true)]
    [InlineData("1.23456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("1.234567890123456789012345678901234567890123456789012345678901234", false)]
    public void A_UID_is_valid_by_the_rules_of_PS3_5_section_9(string uid, bool isValid) => Uid.IsValid(uid).ShouldBe(isValid);

    [Fact]
    public void A_UID_from_16_bytes_is_valid_at_both_ends()
    {
        Uid.FromBytes(new byte[16]).ShouldBe("2.25.0");
        Uid.FromBytes([.. Enumerable.Repeat((byte)0xFF, 16)]).ShouldBe("2.25.340282366920938463463374607431768211455");
    }
}
