using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

public class DataSetReaderTests
{
    [Fact]
    public void Explicit_little_endian_is_read_with_nesting_length_forms_and_fragments()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian);

        set.Count.ShouldBe(8);
        set.GetText(Tags.Modality).ShouldBe("MR");
        set.GetText(Tags.PatientName).ShouldBe("A^B");
        Element images = set.Find(Tags.ReferencedImageSequence)!;
        images.HasUndefinedLength.ShouldBeFalse();
        images.Items!.Select(static i => i.HasUndefinedLength).ShouldBe([false, true, false]);
        images.Items![0].GetText(Tags.ReferencedSOPInstanceUID).ShouldBe("1.2.3.4.5");
        images.Items[0].Parent.ShouldBeSameAs(set);
        set.Find(Tags.PixelData)!.Fragments!.Select(static f => f.Length).ShouldBe([4, 6]);
    }

    [Fact]
    public void A_UN_sequence_of_undefined_length_holds_implicit_VR()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian);

        Element sequence = set.Find(new Tag(0x0009, 0x1001))!;
        sequence.Vr.ShouldBe(Vr.UN);
        sequence.Items![0].Find(new Tag(0x0009, 0x1002))!.Value.ToArray().ShouldBe([1, 2, 3, 4]);
        sequence.Items[0].Find(Tags.ReferencedSeriesSequence)!.Items!.Count.ShouldBe(1);
    }

    [Fact]
    public void Implicit_VR_takes_the_dictionary_and_the_sign_that_pixel_representation_gives()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ImplicitLittleEndian, TransferSyntax.ImplicitVRLittleEndian);

        set.Find(Tags.SmallestImagePixelValue)!.Vr.ShouldBe(Vr.SS);
        set.GetInt32(Tags.SmallestImagePixelValue).ShouldBe(-2000);
        set.Find(new Tag(0x0009, 0x1001))!.Vr.ShouldBe(Vr.SQ);
        set.Find(Tags.PixelData)!.Vr.ShouldBe(Vr.OW);
    }

    [Fact]
    public void Big_endian_numbers_are_little_endian_in_memory()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitBigEndian, TransferSyntax.ExplicitVRBigEndian);

        set.GetInt32(Tags.Rows).ShouldBe(512);
        set.GetText(Tags.FrameIncrementPointer).ShouldBe("(0018,1063)");
        set.GetText(new Tag(0x0028, 0x9503)).ShouldBe("66051");
        set.Find(Tags.ReferencedImageSequence)!.Items![0].GetInt32(Tags.Rows).ShouldBe(258);
        set.Find(Tags.PixelData)!.Value.ToArray().ShouldBe([2, 1, 3]);
    }

    [Theory]
    [MemberData(nameof(GoldenDataSets.Names), MemberType = typeof(GoldenDataSets))]
    public void Golden_bytes_are_written_as_they_were_read(string name)
    {
        (byte[] bytes, TransferSyntax syntax) = GoldenDataSets.Of(name);

        DataSet set = DataSetReader.Read(bytes, syntax);

        DataSetWriter.ToArray(set, syntax).ShouldBe(bytes);
        DataSetWriter.ToArray(set.Clone(), syntax).ShouldBe(bytes);
        DataSetWriter.LengthOf(set, syntax).ShouldBe(bytes.Length);
    }

    [Theory]
    [MemberData(nameof(GoldenDataSets.Names), MemberType = typeof(GoldenDataSets))]
    public void A_data_set_cut_anywhere_is_read_or_refused_and_its_head_is_always_read(string name)
    {
        (byte[] bytes, TransferSyntax syntax) = GoldenDataSets.Of(name);
        for (int length = 0; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            if (Record.Exception(() => DataSetReader.Read(cut, syntax)) is { } failure)
            {
                failure.ShouldBeOfType<DicomContentException>($"cut at {length}");
            }

            DataSet head = DataSetReader.ReadHead(cut, syntax, Tags.PixelData);
            byte[] written = DataSetWriter.ToArray(head, syntax);
            written.ShouldBe(bytes[..written.Length], $"cut at {length}");
        }
    }

    [Fact]
    public void Values_are_slices_of_the_input()
    {
        byte[] bytes = GoldenDataSets.ExplicitLittleEndian;
        DataSet set = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian);

        foreach (ReadOnlyMemory<byte> value in (ReadOnlyMemory<byte>[])[set.Find(Tags.Modality)!.Value, set.Find(Tags.PixelData)!.Fragments![1]])
        {
            MemoryMarshal.TryGetArray(value, out ArraySegment<byte> segment).ShouldBeTrue();
            segment.Array.ShouldBeSameAs(bytes);
        }
    }

    [Fact]
    public void Reading_stops_before_a_tag_without_looking_at_what_follows()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 6000 4353 0200 4D52", "E07F 1000 4F57 0000 FFFFFF7F 0102");

        DataSet set = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, new() { StopBefore = Tags.PixelData });

        set.Select(static e => e.Tag).ShouldBe([Tags.Modality]);
    }

    [Fact]
    public void Elements_out_of_order_are_sorted_unless_strict()
    {
        byte[] bytes = GoldenDataSets.Hex("1000 2000 4C4F 0200 3132", "0800 6000 4353 0200 4D52");

        DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian).Select(static e => e.Tag).ShouldBe([Tags.Modality, Tags.PatientID]);
        Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault))
            .Offset.ShouldBe(10);
    }

    [Fact]
    public void A_tag_that_stands_twice_is_refused_wherever_it_stands()
    {
        string modality = "0800 6000 4353 0200 4D52";
        string patientID = "1000 2000 4C4F 0200 3132";
        foreach (byte[] bytes in (byte[][])[GoldenDataSets.Hex(modality, modality), GoldenDataSets.Hex(modality, patientID, modality)])
        {
            Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian)).Message.ShouldContain("(0008,0060)");
        }
    }

    [Fact]
    public void Zero_bytes_after_the_data_set_are_kept_unless_strict()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 6000 4353 0200 4D52", "0000000000000000 0000000000");

        DataSet set = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian);

        set.Count.ShouldBe(1);
        set.TrailingBytes.Length.ShouldBe(13);
        DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian).ShouldBe(bytes);
        Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault));
    }

    [Fact]
    public void An_unknown_VR_is_kept_unless_strict()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 6000 5A5A 0000 02000000 4D52", "0800 6100 0000 0200 4354");

        DataSet set = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian);

        set.Find(Tags.Modality)!.Value.Length.ShouldBe(2);
        DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian).ShouldBe(bytes);
        Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault));
    }

    [Fact]
    public void A_value_too_long_for_its_VR_is_written_as_UN()
    {
        var set = new DataSet();
        set.Set(Element.Raw(Tags.PatientID, Vr.LO, new byte[70_000]));

        byte[] bytes = DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian);

        bytes.Length.ShouldBe(70_012);
        DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian).Find(Tags.PatientID)!.Vr.ShouldBe(Vr.UN);
    }

    [Fact]
    public void Text_that_its_character_set_cannot_hold_is_refused_without_being_quoted()
    {
        var set = new DataSet();

        Should.Throw<ArgumentException>(() => set.SetText(Tags.PatientName, "Ωmega")).Message.ShouldNotContain("mega");
    }
}
