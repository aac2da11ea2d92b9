using System.Text;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class ValueFormTests
{
    private static readonly Deidentifier Deidentifier = new(DeidentificationProfile.Basic, new Pseudonymizer(new byte[32]));

    [Theory]
    [InlineData(0x00181020u, Vr.OB, "Doe^Jane")] // Software Versions
    [InlineData(0x00181020u, Vr.OW, "Doe^Jane")]
    [InlineData(0x00181020u, Vr.DS, "Doe^Jane")]
    [InlineData(0x00181020u, Vr.DS, "19620704")]
    [InlineData(0x00181020u, Vr.AS, "058Y")]
    [InlineData(0x00081090u, Vr.US, "Doe^Jane")] // Manufacturer's Model Name
    [InlineData(0x00081090u, Vr.UI, "1.2.3 ")]
    [InlineData(0x00181242u, Vr.OB, "Doe^Jane")] // Actual Frame Duration, IS
    [InlineData(0x00180060u, Vr.DS, "Zorgblatt ")] // KVP
    [InlineData(0x00180060u, Vr.LO, "Zorgblatt ")]
    [InlineData(0x00201002u, Vr.IS, "1962/07/04")] // Images in Acquisition
    [InlineData(0x00201002u, Vr.IS, "1.5 ")]
    [InlineData(0x00080060u, Vr.CS, "D\u00F6e ")] // Modality
    [InlineData(0x0008010Cu, Vr.UI, "Doe^Jane")] // Coding Scheme UID
    [InlineData(0x0008010Cu, Vr.LO, "1.2.840.10008.Doe ")]
    public void A_value_in_a_form_its_attribute_does_not_have_is_removed_and_restored(uint tag, Vr vr, string value)
    {
        DataSet original = Image(Element.Raw(new Tag(tag), vr, Encoding.Latin1.GetBytes(value)));
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.Contains(new Tag(tag)).ShouldBeFalse();
        result.Identity.Changes.ShouldContain(c => c.Original.Tag == new Tag(tag) && c.Action == ProfileAction.Remove);
        Element back = result.Identity.Restore(result.Clean).Find(new Tag(tag))!;
        back.Vr.ShouldBe(vr);
        Encoding.Latin1.GetString(back.Value.Span).ShouldBe(value);
    }

    [Theory]
    [InlineData(0x00181020u, Vr.SH, "v1.2")]
    [InlineData(0x00181020u, Vr.UT, "v1.2")]
    [InlineData(0x00180060u, Vr.DS, "1.2E+02 ")]
    [InlineData(0x00180060u, Vr.IS, "120 ")]
    [InlineData(0x00181242u, Vr.DS, "33.3")]
    [InlineData(0x00180060u, Vr.SH, "120 ")]
    [InlineData(0x00280106u, Vr.SS, "\u0001\u0000")] // Smallest Image Pixel Value, US or SS
    [InlineData(0x00281101u, Vr.SS, "\u0001\u0000\u0001\u0000\u0001\u0000")] // Red Palette Color Lookup Table Descriptor
    [InlineData(0x00281201u, Vr.OW, "\u0001\u0000")] // Red Palette Color Lookup Table Data
    [InlineData(0x00283006u, Vr.OW, "\u0001\u0000")] // LUT Data
    [InlineData(0x00080060u, Vr.CS, "mr")]
    public void Forms_that_editions_exchanged_are_kept(uint tag, Vr vr, string value)
    {
        DataSet original = Image(Element.Raw(new Tag(tag), vr, Encoding.Latin1.GetBytes(value)));
        Deidentifier.Deidentify(original).Clean.Find(new Tag(tag)).ShouldNotBeNull().Vr.ShouldBe(vr);
    }

    [Theory]
    [InlineData("ZorgblattQuimbert", true)]
    [InlineData("by QUIMBERT_ZORGBLATT", true)]
    [InlineData("x_zorgblatt_y", true)]
    [InlineData("Zorgblatter", false)]
    [InlineData("born 1962-07-04", true)]
    [InlineData("born 04.07.1962", true)]
    [InlineData("7/04/1962", false)]
    [InlineData("07/04/1962", true)]
    [InlineData("AB-12 34-56", true)]
    [InlineData("v4.07.1962", false)]
    public void Letter_case_and_separators_hide_no_removed_value(string kept, bool replaced)
    {
        DataSet original = Named();
        original.SetText(Tags.SoftwareVersions, kept);
        Deidentifier.Deidentify(original).Clean.GetText(Tags.SoftwareVersions).ShouldBe(replaced ? Dummies.Text : kept);
    }

    [Theory]
    [InlineData("AB123456", "")]
    [InlineData("ab123456", "")]
    [InlineData("AB12345", "AB12345")]
    public void A_term_that_is_the_patients_number_is_emptied(string term, string kept)
    {
        DataSet original = Named();
        original.Set(Element.Raw(Tags.Modality, Vr.CS, Encoding.ASCII.GetBytes(term)));
        Deidentifier.Deidentify(original).Clean.GetText(Tags.Modality).ShouldBe(kept);
    }

    private static DataSet Named()
    {
        DataSet image = Image(Element.Raw(Tags.PatientID, Vr.LO, "AB123456"u8.ToArray()));
        image.SetText(Tags.PatientName, "Zorgblatt^Quimbert");
        image.SetText(Tags.PatientBirthDate, "19620704");
        return image;
    }

    private static DataSet Image(Element element)
    {
        var image = new DataSet();
        image.SetText(Tags.SOPClassUID, SopClasses.CTImageStorage);
        image.SetText(Tags.SOPInstanceUID, "1.2.3.4.5");
        image.SetText(Tags.StudyInstanceUID, "1.2.3");
        image.SetText(Tags.PatientID, "4711");
        image.Set(element);
        return image;
    }
}
