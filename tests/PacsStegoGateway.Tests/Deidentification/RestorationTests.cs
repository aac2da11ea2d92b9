using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class RestorationTests
{
    private static readonly Deidentifier Deidentifier = new(DeidentificationProfile.Basic, new Pseudonymizer(new byte[32]));

    [Theory]
    [InlineData("data/train", 360)]
    [InlineData("data/conformance", 330)]
    public void Every_file_comes_back_byte_for_byte_whatever_a_PACS_did_to_the_encoding(string folder, int atLeast)
    {
        int files = 0;
        foreach ((string path, DicomFile file) in DataFiles.ReadAll(folder))
        {
            files++;
            byte[] original = DataSetWriter.ToArray(file.DataSet, file.TransferSyntax);
            DeidentificationResult result = Deidentifier.Deidentify(file.DataSet);
            DataSetWriter.ToArray(file.DataSet, file.TransferSyntax).ShouldBe(original, $"{path}: the original was changed");
            foreach (DataSet returned in ReturnedByAPacs(result.Clean, file.TransferSyntax))
            {
                byte[] restored = DataSetWriter.ToArray(result.Identity.Restore(returned), file.TransferSyntax);
                restored.AsSpan().SequenceEqual(original).ShouldBeTrue(path);
            }
        }

        files.ShouldBeGreaterThan(atLeast);
    }

    [Fact]
    public void What_a_PACS_added_is_dropped()
    {
        DataSet original = Ct();
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.SetText(Tags.RetrieveAETitle, "ARCHIVE");
        result.Clean.SetText(Tags.StudyDescription, "added");
        result.Clean.Set(Element.Raw(new Tag(0x00990010), Vr.LO, "ARCHIVE "u8.ToArray()));
        result.Clean.SetText(Tags.PatientName, "coerced");
        result.Clean.SetText(Tags.BodyPartExamined, "changed");
        result.Clean.Remove(Tags.Manufacturer);
        Bytes(result.Identity.Restore(result.Clean)).ShouldBe(Bytes(original));
    }

    [Fact]
    public void The_record_alone_in_its_encoded_form_is_enough()
    {
        DataSet original = Ct();
        DeidentificationResult result = Deidentifier.Deidentify(original);
        var sealedSet = new DataSet();
        foreach (Element element in result.Identity.Originals)
        {
            sealedSet.Set(element);
        }

        DataSet opened = DataSetReader.Read(Bytes(sealedSet), TransferSyntax.ExplicitVRLittleEndian);
        IReadOnlyList<RetainedElement> retained = RetainedElement.Decode(RetainedElement.Encode(result.Identity.Retained));
        Bytes(IdentityRecord.Restore(result.Clean, [.. opened], retained)).ShouldBe(Bytes(original));
    }

    [Fact]
    public void An_odd_length_and_a_VR_of_pixel_data_come_back()
    {
        DataSet original = Ct();
        original.Set(Element.Raw(Tags.PixelData, Vr.OB, new byte[3]));
        DeidentificationResult result = Deidentifier.Deidentify(original);
        result.Clean.Set(Element.Raw(Tags.PixelData, Vr.OW, new byte[4]));
        Element restored = result.Identity.Restore(result.Clean).Find(Tags.PixelData)!;
        restored.Vr.ShouldBe(Vr.OB);
        restored.Value.Length.ShouldBe(3);
    }

    [Fact]
    public void Pixel_data_that_is_missing_or_cut_is_an_error_and_no_original()
    {
        DeidentificationResult result = Deidentifier.Deidentify(Ct());
        result.Clean.Set(Element.Raw(Tags.PixelData, Vr.OW, new byte[2]));
        Should.Throw<DicomContentException>(() => result.Identity.Restore(result.Clean));
        result.Clean.Remove(Tags.PixelData);
        Should.Throw<DicomContentException>(() => result.Identity.Restore(result.Clean));
        Should.Throw<DicomContentException>(() => RetainedElement.Decode(new byte[9]));
    }

    [Fact]
    public void Neither_record_nor_result_nor_change_prints_a_value()
    {
        DataSet original = Ct();
        DeidentificationResult result = Deidentifier.Deidentify(original);
        string printed = $"{result} {result.Identity} {string.Join(' ', result.Identity.Changes)} {string.Join(' ', result.Identity.Originals)}";
        printed.ShouldNotContain("Doe");
        printed.ShouldNotContain("4711");
    }

    private static DataSet Ct()
    {
        var set = new DataSet();
        set.Set(Element.UInt32(new Tag(0x00080000), 100));
        set.SetText(Tags.SOPClassUID, SopClasses.CTImageStorage);
        set.SetText(Tags.SOPInstanceUID, "1.2.3.4");
        set.SetText(Tags.Manufacturer, "Maker");
        set.SetText(Tags.PatientName, "Doe^Jane");
        set.SetText(Tags.PatientID, "4711");
        set.SetText(Tags.BodyPartExamined, "CHEST");
        set.SetText(Tags.StudyInstanceUID, "1.2.3");
        set.Set(Element.Raw(new Tag(0x00290010), Vr.LO, "MAKER X"u8.ToArray())); // odd length
        set.Set(Element.Raw(Tags.PixelData, Vr.OW, new byte[8]));
        return set;
    }

    private static byte[] Bytes(DataSet dataSet) => DataSetWriter.ToArray(dataSet, TransferSyntax.ExplicitVRLittleEndian);

    /// <summary>The clean set as it was, and as archives hand it out: other VR encoding, other length forms.</summary>
    private static IEnumerable<DataSet> ReturnedByAPacs(DataSet clean, TransferSyntax syntax)
    {
        yield return DataSetReader.Read(DataSetWriter.ToArray(clean, syntax), syntax);

        // Pixels are not what is in question here, but most of the bytes.
        Element[] pixels = clean.Where(static e => e.Tag.Group == 0x7FE0 && e.Value.Length > 65536).ToArray();
        clean = clean.Clone();
        foreach (Element element in pixels)
        {
            clean.Remove(element.Tag);
        }

        DataSet WithPixels(DataSet returned)
        {
            foreach (Element element in pixels)
            {
                returned.Set(element);
            }

            return returned;
        }

        foreach (bool undefined in new[] { true, false })
        {
            DataSet rewritten = WithLengths(clean, undefined);
            yield return WithPixels(DataSetReader.Read(DataSetWriter.ToArray(rewritten, syntax), syntax));
            if (!syntax.Encapsulated)
            {
                TransferSyntax other = syntax.ExplicitVr ? TransferSyntax.ImplicitVRLittleEndian : TransferSyntax.ExplicitVRLittleEndian;
                yield return WithPixels(DataSetReader.Read(DataSetWriter.ToArray(rewritten, other), other));
            }
        }
    }

    private static DataSet WithLengths(DataSet set, bool undefined)
    {
        var copy = new DataSet { HasUndefinedLength = undefined };
        foreach (Element element in set)
        {
            copy.Set(element.Items is { } items
                ? Element.Sequence(element.Tag, items.Select(i => WithLengths(i, undefined)).ToList(), undefined, element.Vr)
                : element);
        }

        return copy;
    }
}
