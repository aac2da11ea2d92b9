using System.Text;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class DeidentifierTests
{
    private static readonly Pseudonymizer Pseudonyms = new(new byte[32]);
    private static readonly Deidentifier Deidentifier = new(DeidentificationProfile.Basic, Pseudonyms);

    [Fact]
    public void Name_and_ID_become_the_patients_pseudonym_and_dates_and_numbers_are_emptied()
    {
        DataSet clean = Clean(Image());
        clean.GetText(Tags.PatientID).ShouldBe(Pseudonyms.MapPatientID("HOSPITAL", "4711"));
        clean.GetText(Tags.PatientName).ShouldBe(clean.GetText(Tags.PatientID));
        clean.GetText(Tags.PatientBirthDate).ShouldBe("");
        clean.GetText(Tags.StudyDate).ShouldBe("");
        clean.GetText(Tags.AccessionNumber).ShouldBe("");
        clean.Contains(Tags.IssuerOfPatientID).ShouldBeFalse();
        clean.Contains(Tags.SeriesDate).ShouldBeFalse();
        clean.GetText(Tags.StudyInstanceUID).ShouldBe(Pseudonyms.MapUID("1.2.3"));
        clean.GetText(Tags.SOPClassUID).ShouldBe(SopClasses.CTImageStorage);
        clean.GetText(Tags.FrameOfReferenceUID).ShouldBe("1.2.840.10008.1.4.1.1");
        clean.GetText(Tags.Modality).ShouldBe("CT");
    }

    [Fact]
    public void The_marks_tell_what_was_done()
    {
        DataSet clean = Clean(Image());
        clean.GetText(Tags.PatientIdentityRemoved).ShouldBe("YES");
        clean.GetText(Tags.DeidentificationMethod).ShouldBe(Deidentifier.MethodText);
        Deidentifier.MethodText.ShouldContain("PacsStegoGateway");
        Deidentifier.MethodText.ShouldContain("2024e");
        Deidentifier.MethodText.Length.ShouldBeLessThanOrEqualTo(64);
        DataSet code = clean.Find(Tags.DeidentificationMethodCodeSequence)!.Items.ShouldHaveSingleItem();
        code.GetText(Tags.CodeValue).ShouldBe("113100");
        code.GetText(Tags.CodingSchemeDesignator).ShouldBe("DCM");
        clean.GetText(Tags.LongitudinalTemporalInformationModified).ShouldBe("REMOVED");
        clean.Contains(Tags.BurnedInAnnotation).ShouldBeFalse();
    }

    [Fact]
    public void Marks_of_an_earlier_site_stay_and_ours_are_appended_once()
    {
        DataSet original = Image();
        original.SetText(Tags.DeidentificationMethod, "Their method");
        original.Set(Sequence(Tags.DeidentificationMethodCodeSequence, Dummies.CodeItem("113107", "DCM", "Modified dates")));
        original.SetText(Tags.BurnedInAnnotation, "NO");
        DataSet clean = Clean(original);
        clean.GetTexts(Tags.DeidentificationMethod).ShouldBe(["Their method", Deidentifier.MethodText]);
        Codes(clean).ShouldBe(["113107", "113100"]);
        clean.GetText(Tags.BurnedInAnnotation).ShouldBe("NO");

        DataSet again = Clean(clean);
        again.GetTexts(Tags.DeidentificationMethod).ShouldBe(["Their method", Deidentifier.MethodText]);
        Codes(again).ShouldBe(["113107", "113100"]);
    }

    [Fact]
    public void Every_depth_is_treated_and_every_change_has_its_path()
    {
        DataSet original = Image();
        DataSet referenced = Item(Text(Tags.ReferencedSOPClassUID, SopClasses.CTImageStorage), Text(Tags.ReferencedSOPInstanceUID, "1.2.3.9"));
        original.Set(Sequence(Tags.SharedFunctionalGroupsSequence, Item(
            Sequence(Tags.DerivationImageSequence, Item(Sequence(Tags.SourceImageSequence, referenced))),
            Element.Raw(new Tag(0x00130010), Vr.LO, "CTP "u8.ToArray()),
            Text(Tags.PatientComments, "fell from a ladder"))));
        DeidentificationResult result = Deidentifier.Deidentify(original);
        DataSet group = result.Clean.Find(Tags.SharedFunctionalGroupsSequence)!.Items!.ShouldHaveSingleItem();
        group.Contains(Tags.PatientComments).ShouldBeFalse();
        group.Contains(new Tag(0x00130010)).ShouldBeFalse();
        DataSet reference = group.Find(Tags.DerivationImageSequence)!.Items![0].Find(Tags.SourceImageSequence)!.Items![0];
        reference.GetText(Tags.ReferencedSOPInstanceUID).ShouldBe(Pseudonyms.MapUID("1.2.3.9"));
        reference.GetText(Tags.ReferencedSOPClassUID).ShouldBe(SopClasses.CTImageStorage);
        AttributeChange change = result.Identity.Changes.Single(c => c.Original.Tag == Tags.ReferencedSOPInstanceUID);
        change.Path.ShouldBe("(5200,9229)[1]/(0008,9124)[1]/(0008,2112)[1]/(0008,1155)");
        change.Action.ShouldBe(ProfileAction.MapUID);
        change.Rule.ShouldBe("(0008,1155)");
        result.Identity.Originals.ShouldContain(e => e.Tag == Tags.SharedFunctionalGroupsSequence);
    }

    [Fact]
    public void The_original_and_its_items_are_not_touched()
    {
        DataSet original = Image();
        original.Set(Sequence(Tags.SharedFunctionalGroupsSequence, Item(Text(Tags.PatientComments, "comment"))));
        byte[] before = DataSetWriter.ToArray(original, TransferSyntax.ExplicitVRLittleEndian);
        DataSet item = original.Find(Tags.SharedFunctionalGroupsSequence)!.Items![0];
        _ = Deidentifier.Deidentify(original);
        DataSetWriter.ToArray(original, TransferSyntax.ExplicitVRLittleEndian).ShouldBe(before);
        item.Parent.ShouldBeSameAs(original);
    }

    [Theory]
    [InlineData(0x00080000u, Vr.UL)] // group length
    [InlineData(0x00000100u, Vr.US)] // command element
    [InlineData(0x00020016u, Vr.AE)] // file meta element
    [InlineData(0x00041500u, Vr.CS)] // directory element: a file name
    [InlineData(0x00090010u, Vr.LO)] // private creator
    [InlineData(0x00091001u, Vr.UN)] // private element
    [InlineData(0x00080001u, Vr.UN)] // retired length to end is known, …
    [InlineData(0x0010FFF0u, Vr.LO)] // … this is no attribute at all
    [InlineData(0x00100011u, Vr.SQ)] // Person Names to Use: younger than the table
    [InlineData(0x50000010u, Vr.US)] // curve
    [InlineData(0x60000022u, Vr.LO)] // overlay description
    [InlineData(0x60003000u, Vr.OW)] // overlay data
    [InlineData(0x00880200u, Vr.SQ)] // icon
    [InlineData(0xFFFAFFFAu, Vr.SQ)] // digital signatures
    [InlineData(0x4FFE0001u, Vr.SQ)] // their parameters
    [InlineData(0xFFFCFFFCu, Vr.OB)] // trailing padding
    [InlineData(0x04000561u, Vr.SQ)] // original attributes
    [InlineData(0x04000550u, Vr.SQ)] // modified attributes
    [InlineData(0x00100024u, Vr.SQ)] // issuer of the removed Patient ID
    [InlineData(0x00140102u, Vr.DA)] // a date the table does not list
    [InlineData(0x00142006u, Vr.PN)] // a name the table does not list
    [InlineData(0x0040A067u, Vr.UN)] // the same as UN
    public void What_may_identify_is_removed_at_the_top_and_in_items(uint value, Vr vr)
    {
        var tag = new Tag(value);
        if (value == 0x00080001)
        {
            ProfileTable.Find(tag).ShouldBeNull();
            return;
        }

        Element Make() => vr == Vr.SQ
            ? Sequence(tag, Item(Text(Tags.PatientName, "Doe^Jane")))
            : Element.Raw(tag, vr, vr.IsText() && vr != Vr.DA ? "Doe "u8.ToArray() : "20200102"u8.ToArray());
        DataSet original = Image();
        original.Set(Make());
        original.Set(Sequence(Tags.SharedFunctionalGroupsSequence, Item(Make())));
        DataSet clean = Clean(original);
        clean.Contains(tag).ShouldBeFalse();
        clean.Find(Tags.SharedFunctionalGroupsSequence)!.Items![0].ShouldBeEmpty();
    }

    [Fact]
    public void Unknown_VR_hides_neither_a_name_nor_a_sequence()
    {
        DataSet original = Image();
        original.Set(Element.Raw(Tags.PatientName, Vr.UN, "Doe^Jane"u8.ToArray()));
        original.Set(Element.Raw(Tags.PatientID, Vr.UN, "4711"u8.ToArray()));
        original.Set(Element.Raw(Tags.StudyInstanceUID, Vr.UN, "1.2.3\0"u8.ToArray()));
        byte[] hidden = DataSetWriter.ToArray(Wrapped(Sequence(Tags.AnatomicRegionSequence, Item(Text(Tags.CodeValue, "T-1"), Text(Tags.PatientComments, "comment")))),
            TransferSyntax.ImplicitVRLittleEndian)[8..];
        original.Set(Element.Raw(Tags.AnatomicRegionSequence, Vr.UN, hidden));
        original.Set(Element.Raw(Tags.PrimaryAnatomicStructureSequence, Vr.UN, "no items"u8.ToArray()));
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.GetText(Tags.PatientName).ShouldBe(Pseudonyms.MapPatientID("HOSPITAL", "4711"));
        result.Clean.GetText(Tags.StudyInstanceUID).ShouldBe(Pseudonyms.MapUID("1.2.3"));
        DataSet region = result.Clean.Find(Tags.AnatomicRegionSequence)!.Items!.ShouldHaveSingleItem();
        region.GetText(Tags.CodeValue).ShouldBe("T-1");
        region.Contains(Tags.PatientComments).ShouldBeFalse();
        result.Clean.Contains(Tags.PrimaryAnatomicStructureSequence).ShouldBeFalse();
        result.Identity.Restore(result.Clean).Find(Tags.PatientName)!.Vr.ShouldBe(Vr.UN);
    }

    [Fact]
    public void Text_in_a_binary_attribute_and_items_in_a_text_attribute_are_removed()
    {
        DataSet original = Image();
        original.Set(Element.Raw(Tags.SmallestImagePixelValue, Vr.LO, "Doe^Jane"u8.ToArray()));
        original.Set(Sequence(Tags.Manufacturer, Item(Text(Tags.Manufacturer, "Doe"))));
        DataSet clean = Clean(original);
        clean.Contains(Tags.SmallestImagePixelValue).ShouldBeFalse();
        clean.Contains(Tags.Manufacturer).ShouldBeFalse();
    }

    [Fact]
    public void A_UID_without_a_row_is_replaced_unless_it_names_a_class()
    {
        DataSet original = Image();
        original.SetText(Tags.VolumeFrameOfReferenceUID, "1.2.3.77");
        original.SetText(Tags.CodingSchemeUID, "1.2.276.5");
        DataSet clean = Clean(original);
        clean.GetText(Tags.VolumeFrameOfReferenceUID).ShouldBe(Pseudonyms.MapUID("1.2.3.77"));
        clean.GetText(Tags.CodingSchemeUID).ShouldBe("1.2.276.5");
    }

    [Fact]
    public void A_nested_patient_has_the_pseudonym_of_his_own_ID()
    {
        DataSet original = Image();
        original.Set(Sequence(Tags.SharedFunctionalGroupsSequence,
            Item(Text(Tags.PatientName, "Roe^John"), Text(Tags.PatientID, "4712")),
            Item(Text(Tags.PatientName, "Roe^Jim"), Text(Tags.PatientID, "4712"), Text(Tags.IssuerOfPatientID, "ELSEWHERE")),
            Item(Text(Tags.PatientName, "Doe^Jane"))));
        IReadOnlyList<DataSet> items = Clean(original).Find(Tags.SharedFunctionalGroupsSequence)!.Items!;
        items[0].GetText(Tags.PatientID).ShouldBe(Pseudonyms.MapPatientID("HOSPITAL", "4712"));
        items[0].GetText(Tags.PatientName).ShouldBe(items[0].GetText(Tags.PatientID));
        items[1].GetText(Tags.PatientID).ShouldBe(Pseudonyms.MapPatientID("ELSEWHERE", "4712"));
        items[2].GetText(Tags.PatientName).ShouldBe(Pseudonyms.MapPatientID("HOSPITAL", "4711"));
    }

    [Fact]
    public void A_patient_without_an_ID_gets_a_pseudonym_of_the_study()
    {
        DataSet original = Image();
        original.SetText(Tags.PatientID, "");
        DataSet clean = Clean(original);
        clean.GetText(Tags.PatientID).ShouldBe(Pseudonyms.MapUnknownPatient("1.2.3"));
        clean.GetText(Tags.PatientName).ShouldBe(clean.GetText(Tags.PatientID));
    }

    [Fact]
    public void The_ID_counts_by_its_characters_and_not_by_their_encoding()
    {
        DataSet latin = Image();
        latin.SetText(Tags.SpecificCharacterSet, "ISO_IR 100");
        latin.SetText(Tags.PatientID, "Ä1");
        DataSet utf8 = Image();
        utf8.SetText(Tags.SpecificCharacterSet, "ISO_IR 192");
        utf8.SetText(Tags.PatientID, "Ä1");
        latin.Find(Tags.PatientID)!.Value.Length.ShouldNotBe(utf8.Find(Tags.PatientID)!.Value.Length + 1);
        Clean(latin).GetText(Tags.PatientID).ShouldBe(Clean(utf8).GetText(Tags.PatientID));
    }

    [Fact]
    public void Dummies_are_legal_and_never_stand_for_what_was_empty()
    {
        DataSet original = Image();
        original.SetText(Tags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.4.1");
        original.SetText(Tags.ContentDate, "20200102");
        original.SetText(Tags.ContentTime, "101112");
        original.SetText(Tags.AcquisitionDateTime, "");
        original.SetText(Tags.DeviceSerialNumber, "SN-1234");
        DataSet clean = Clean(original);
        clean.GetText(Tags.ContentDate).ShouldBe(Dummies.Date);
        clean.GetText(Tags.ContentTime).ShouldBe(Dummies.Time);
        clean.GetText(Tags.AcquisitionDateTime).ShouldBe("");
        clean.GetText(Tags.DeviceSerialNumber).ShouldBe(Dummies.Text);
    }

    [Fact]
    public void Every_dummy_of_the_table_has_a_length_that_its_VR_allows()
    {
        foreach (Tag tag in ProfileTable.Tags)
        {
            Vr vr = DataDictionary.VrOf(tag);
            Element dummy = Dummies.Of(vr == Vr.SQ ? Element.Sequence(tag, [new DataSet()]) : Element.Raw(tag, vr, "x "u8.ToArray()));
            dummy.IsEmpty.ShouldBeFalse();
            (dummy.Value.Length % Math.Max(2, vr.SwapUnit())).ShouldBe(0);
            if (vr is Vr.CS or Vr.AE or Vr.SH)
            {
                dummy.Value.Length.ShouldBeLessThanOrEqualTo(16);
            }
        }
    }

    [Fact]
    public void Structured_content_does_not_stay_readable()
    {
        var report = new DataSet();
        report.SetText(Tags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.88.33");
        report.Set(Sequence(Tags.ContentSequence, Item(Text(Tags.TextValue, "Jane Doe has a cold"), Text(Tags.PersonName, "Doe^Jane"))));
        string bytes = Encoding.Latin1.GetString(DataSetWriter.ToArray(Clean(report), TransferSyntax.ExplicitVRLittleEndian));
        bytes.ShouldNotContain("Doe");
        bytes.ShouldNotContain("cold");
        Clean(report).Find(Tags.ContentSequence)!.Items.ShouldHaveSingleItem().GetText(Tags.ValueType).ShouldBe("TEXT");
    }

    [Theory]
    [InlineData("taken for MILLER", true)] // a part of the name that stands alone
    [InlineData("MILLERS MAKE", false)]
    [InlineData("v4711.2", false)] // four digits inside a longer word are chance
    [InlineData("no. 4711", true)]
    [InlineData("built 20200102x", true)] // a date is no chance
    [InlineData("see 1.2.3.4.5", true)] // the instance's UID
    [InlineData("CHEST ROUTINE", true)] // the study's description
    [InlineData("CHEST", false)]
    public void Kept_text_that_repeats_a_removed_value_is_replaced(string kept, bool replaced)
    {
        DataSet original = Image();
        original.SetText(Tags.SoftwareVersions, kept);
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.GetText(Tags.SoftwareVersions).ShouldBe(replaced ? Dummies.Text : kept);
        result.Identity.Changes.Count(static c => c.Rule == Split.RepeatsRemovedValue).ShouldBe(replaced ? 1 : 0);
        result.Identity.Restore(result.Clean).GetText(Tags.SoftwareVersions).ShouldBe(kept);
    }

    [Fact]
    public void Meanings_of_a_standard_coding_scheme_are_no_free_text_but_local_ones_are()
    {
        DataSet original = Image();
        original.Set(Sequence(Tags.AnatomicRegionSequence,
            Dummies.CodeItem("1", "SCT", "CHEST ROUTINE"), Dummies.CodeItem("1", "99LOCAL", "CHEST ROUTINE"), Dummies.CodeItem("1", "SCT", "of MILLER")));
        IReadOnlyList<DataSet> items = Clean(original).Find(Tags.AnatomicRegionSequence)!.Items!;
        items.Select(static i => i.GetText(Tags.CodeMeaning)).ShouldBe(["CHEST ROUTINE", Dummies.Text, Dummies.Text]);
    }

    [Fact]
    public void Encrypted_attributes_of_another_site_are_kept()
    {
        DataSet original = Image();
        byte[] cms = [0x30, 0x82, 1, 2, 3, 4];
        original.Set(Sequence(Tags.EncryptedAttributesSequence, Item(
            Text(Tags.EncryptedContentTransferSyntaxUID, "1.2.840.10008.1.2.1"), Element.Raw(Tags.EncryptedContent, Vr.OB, cms))));
        DataSet item = Clean(original).Find(Tags.EncryptedAttributesSequence)!.Items!.ShouldHaveSingleItem();
        item.Find(Tags.EncryptedContent)!.Value.ToArray().ShouldBe(cms);
        item.GetText(Tags.EncryptedContentTransferSyntaxUID).ShouldBe("1.2.840.10008.1.2.1");
    }

    [Fact]
    public void An_overlay_in_the_pixel_data_is_reported_to_the_caller()
    {
        DataSet original = Image();
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeFalse();
        original.Set(Element.UInt16(new Tag(0x60020102), 12));
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeTrue();
        original.Set(Element.Raw(new Tag(0x60023000), Vr.OW, new byte[2]));
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeTrue();
        original.Set(Element.UInt16(new Tag(0x60020102), 0));
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeFalse();
        original.Set(Element.UInt16(new Tag(0x60020100), 1));
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeFalse();
        original.Set(Element.UInt16(new Tag(0x60020100), 16));
        Deidentifier.Deidentify(original).HasOverlayInPixelData.ShouldBeTrue();
    }

    [Fact]
    public void Pixel_data_is_the_same_element()
    {
        DataSet original = Image();
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.Find(Tags.PixelData).ShouldBeSameAs(original.Find(Tags.PixelData));
        result.Identity.Originals.ShouldNotContain(static e => e.Tag == Tags.PixelData);
        result.Identity.Added.ShouldBe([Tags.PatientIdentityRemoved, Tags.DeidentificationMethod, Tags.DeidentificationMethodCodeSequence, Tags.LongitudinalTemporalInformationModified]);
    }

    private static DataSet Clean(DataSet original) => Deidentifier.Deidentify(original).Clean;

    private static IEnumerable<string?> Codes(DataSet clean) =>
        clean.Find(Tags.DeidentificationMethodCodeSequence)!.Items!.Select(static i => i.GetText(Tags.CodeValue));

    private static DataSet Image() => Item(
        Text(Tags.SOPClassUID, SopClasses.CTImageStorage), Text(Tags.SOPInstanceUID, "1.2.3.4.5"), Text(Tags.StudyDate, "20200102"),
        Text(Tags.SeriesDate, "20200102"), Text(Tags.AccessionNumber, "A-1"), Text(Tags.Modality, "CT"), Text(Tags.StudyDescription, "CHEST ROUTINE"),
        Text(Tags.PatientName, "MILLER^JANE"), Text(Tags.PatientID, "4711"), Text(Tags.IssuerOfPatientID, "HOSPITAL"), Text(Tags.PatientBirthDate, "19700304"),
        Text(Tags.StudyInstanceUID, "1.2.3"), Text(Tags.SeriesInstanceUID, "1.2.3.4"), Text(Tags.FrameOfReferenceUID, "1.2.840.10008.1.4.1.1"),
        Element.Raw(Tags.PixelData, Vr.OW, new byte[8]));

    private static DataSet Wrapped(Element element) => Item(element);

    private static DataSet Item(params Element[] elements)
    {
        var item = new DataSet();
        foreach (Element element in elements)
        {
            item.Set(element);
        }

        return item;
    }

    private static Element Text(Tag tag, string text) => Element.Text(tag, DataDictionary.VrOf(tag), text);

    private static Element Sequence(Tag tag, params DataSet[] items) => Element.Sequence(tag, items);
}
