using System.Diagnostics;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class ProfileTableTests
{
    [Fact]
    public async Task The_generator_run_again_gives_the_files_in_the_repository()
    {
        string source = SharedData.Require("standard-data");
        string fresh = Directory.CreateTempSubdirectory("deid-profile-").FullName;
        try
        {
            string script = Path.Combine(SharedData.RepositoryRoot, "scripts", "generate-deid-profile.py");
            using Process generator = Process.Start(new ProcessStartInfo("python3", [script, source, "--out", fresh]) { RedirectStandardOutput = true })!;
            await generator.WaitForExitAsync(TestContext.Current.CancellationToken);
            generator.ExitCode.ShouldBe(0);
            string kept = Path.Combine(SharedData.RepositoryRoot, "src", "PacsStegoGateway.Deidentification", "Profile", "Generated");
            string[] names = Directory.GetFiles(kept).Select(static f => Path.GetFileName(f)).Order().ToArray();
            Directory.GetFiles(fresh).Select(static f => Path.GetFileName(f)).Order().ShouldBe(names);
            foreach (string name in names)
            {
                File.ReadAllText(Path.Combine(fresh, name)).ShouldBe(File.ReadAllText(Path.Combine(kept, name)), name);
            }
        }
        finally
        {
            Directory.Delete(fresh, recursive: true);
        }
    }

    [Fact]
    public void The_table_has_all_rows_of_edition_2024e()
    {
        ProfileTable.Edition.ShouldBe("2024e");
        ProfileTable.RowCount.ShouldBe(621);
        ProfileTable.Tags.Count().ShouldBe(617);
    }

    [Theory]
    [InlineData(ProfileAction.Remove, 384 - 4)] // four of them are patterns
    [InlineData(ProfileAction.Dummy, 92)]
    [InlineData(ProfileAction.MapUID, 54)]
    [InlineData(ProfileAction.Zero, 42)]
    [InlineData(ProfileAction.RemoveOrDummy, 22)]
    [InlineData(ProfileAction.RemoveOrZero, 11)]
    [InlineData(ProfileAction.RemoveOrZeroOrDummy, 8)]
    [InlineData(ProfileAction.ZeroOrDummy, 6)]
    [InlineData(ProfileAction.RemoveOrZeroOrMapUIDs, 2)]
    public void Every_basic_action_occurs_as_often_as_in_the_standard(ProfileAction action, int rows) =>
        ProfileTable.Tags.Count(t => ProfileTable.Find(t)!.Value.Action == action).ShouldBe(rows);

    [Theory]
    [InlineData(DeidentificationOption.RetainUIDs, 59, 0)]
    [InlineData(DeidentificationOption.RetainDeviceIdentity, 46, 11)]
    [InlineData(DeidentificationOption.RetainInstitutionIdentity, 10, 0)]
    [InlineData(DeidentificationOption.RetainPatientCharacteristics, 9, 4)]
    [InlineData(DeidentificationOption.RetainLongitudinalFullDates, 165, 0)]
    [InlineData(DeidentificationOption.RetainLongitudinalModifiedDates, 0, 165)]
    [InlineData(DeidentificationOption.CleanDescriptors, 0, 125)]
    [InlineData(DeidentificationOption.CleanStructuredContent, 0, 3)]
    [InlineData(DeidentificationOption.CleanGraphics, 0, 1)] // and three patterns: curves, overlay data, overlay comments
    [InlineData(DeidentificationOption.RetainSafePrivate, 0, 0)] // and one pattern: private attributes
    public void Every_option_column_is_kept_as_data(DeidentificationOption option, int keep, int clean)
    {
        List<ProfileAction?> cells = ProfileTable.Tags.Select(t => ProfileTable.Find(t)!.Value.ActionOf(option)).ToList();
        cells.Count(static c => c == ProfileAction.Keep).ShouldBe(keep);
        cells.Count(static c => c == ProfileAction.Clean).ShouldBe(clean);
    }

    [Fact]
    public void Every_row_is_an_attribute_of_the_dictionary() =>
        ProfileTable.Tags.Where(static t => DataDictionary.Find(t) is null).ShouldBeEmpty();

    [Theory]
    [InlineData(0x50140010u, "(50xx,xxxx)")]
    [InlineData(0x60023000u, "(60xx,3000)")]
    [InlineData(0x60FE4000u, "(60xx,4000)")]
    [InlineData(0x00091001u, "(gggg,eeee) gggg odd")]
    [InlineData(0x00100010u, "(0010,0010)")]
    public void Patterns_and_tags_find_their_row(uint tag, string id) => ProfileTable.Find(new Tag(tag))!.Value.Id.ShouldBe(id);

    [Fact]
    public void An_attribute_without_a_row_has_none() => ProfileTable.Find(Tags.Rows).ShouldBeNull();

    [Fact]
    public void The_forty_nine_composite_actions_become_plain_ones_for_every_kind_of_object()
    {
        Tag[] composites = ProfileTable.Tags.Where(static t => ProfileTable.Find(t)!.Value.Action >= ProfileAction.ZeroOrDummy).ToArray();
        composites.Length.ShouldBe(49);
        foreach (Tag tag in composites)
        {
            ProfileAction action = ProfileTable.Find(tag)!.Value.Action;
            foreach (CompositeActions.IodKind kind in Enum.GetValues<CompositeActions.IodKind>())
            {
                CompositeActions.Resolve(tag, action, kind, true).ShouldBeOneOf(
                    ProfileAction.Remove, ProfileAction.Zero, ProfileAction.Dummy, ProfileAction.Keep);
                // Inside items and for unknown objects nothing is left out: it may be Type 1 there.
                CompositeActions.Resolve(tag, action, kind, false).ShouldNotBe(ProfileAction.Remove);
            }

            CompositeActions.Resolve(tag, action, CompositeActions.IodKind.Other, true).ShouldNotBe(ProfileAction.Remove);
        }
    }

    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.2", 0x00080021u, ProfileAction.Remove)] // CT: Series Date is Type 3
    [InlineData("1.2.840.10008.5.1.4.1.1.128", 0x00080021u, ProfileAction.Dummy)] // PET Series: Type 1
    [InlineData("1.2.840.10008.5.1.4.1.1.128", 0x00080022u, ProfileAction.Zero)] // PET Image: Acquisition Date is Type 2
    [InlineData("1.2.840.10008.5.1.4.1.1.4", 0x00080023u, ProfileAction.Zero)] // General Image: Content Date is Type 2C
    [InlineData("1.2.840.10008.5.1.4.1.1.4.1", 0x00080023u, ProfileAction.Dummy)] // functional groups: Type 1
    [InlineData("1.2.840.10008.5.1.4.1.1.4.1", 0x00181000u, ProfileAction.Dummy)] // Enhanced General Equipment: Type 1
    [InlineData("1.2.840.10008.5.1.4.1.1.4", 0x00181000u, ProfileAction.Remove)] // General Equipment: Type 3
    [InlineData("1.2.840.10008.5.1.4.1.1.481.5", 0x300A0006u, ProfileAction.Dummy)] // RT General Plan: Type 2
    [InlineData("1.2.840.10008.5.1.4.1.1.481.2", 0x00081070u, ProfileAction.Zero)] // RT Series: Operators' Name is Type 2
    [InlineData("1.2.840.10008.5.1.4.1.1.2", 0x00081140u, ProfileAction.Remove)] // General Reference: Type 3
    [InlineData("1.2.3.4", 0x00081140u, ProfileAction.Keep)] // unknown object: references are kept, their UIDs replaced
    public void The_type_in_the_IOD_decides(string sopClass, uint tag, ProfileAction expected)
    {
        ProfileRow row = ProfileTable.Find(new Tag(tag))!.Value;
        CompositeActions.Resolve(row.Tag, row.Action, CompositeActions.KindOf(sopClass), true).ShouldBe(expected);
    }
}
