using System.Buffers;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

public class DicomFileTests
{
    private const string SopClass = SopClasses.CTImageStorage;
    private const string SopInstance = "1.2.3.4";

    private static byte[] File(string syntax, byte[] dataSet) => [.. FileMeta.Prefix(SopClass, SopInstance, syntax, "SENDER"), .. dataSet];

    [Fact]
    public void A_prefix_and_a_bare_data_set_are_a_file()
    {
        byte[] bytes = File("1.2.840.10008.1.2", GoldenDataSets.ImplicitLittleEndian);

        DicomFile file = DicomFile.Read(bytes, DicomReadOptions.StrictDefault);

        file.TransferSyntax.ShouldBe(TransferSyntax.ImplicitVRLittleEndian);
        file.FileMetaInformation.GetText(Tags.MediaStorageSOPInstanceUID).ShouldBe(SopInstance);
        file.FileMetaInformation.GetText(Tags.SourceApplicationEntityTitle).ShouldBe("SENDER");
        file.FileMetaInformation.GetText(Tags.ImplementationClassUID).ShouldBe(FileMeta.ImplementationClassUID);
        file.DataSet.GetText(Tags.Modality).ShouldBe("CT");
        file.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void The_constants_of_the_product_are_valid()
    {
        Uid.IsValid(FileMeta.ImplementationClassUID).ShouldBeTrue();
        FileMeta.ImplementationVersionName.Length.ShouldBeInRange(1, 16);
    }

    [Fact]
    public void A_stream_and_a_buffer_writer_get_the_same_bytes_as_an_array()
    {
        DicomFile file = DicomFile.Read(File("1.2.840.10008.1.2.2", GoldenDataSets.ExplicitBigEndian));
        using var stream = new MemoryStream();
        var buffer = new ArrayBufferWriter<byte>();

        file.Write(stream);
        file.Write(buffer);

        stream.ToArray().ShouldBe(file.ToArray());
        buffer.WrittenSpan.ToArray().ShouldBe(file.ToArray());
    }

    [Theory]
    [InlineData(128)] // without preamble
    [InlineData(132)] // without preamble and "DICM"
    public void A_file_may_lack_its_beginning_unless_strict(int missing)
    {
        byte[] bytes = File("1.2.840.10008.1.2", GoldenDataSets.ImplicitLittleEndian)[missing..];

        DicomFile file = DicomFile.Read(bytes);

        file.DataSet.GetText(Tags.Modality).ShouldBe("CT");
        file.ToArray().ShouldBe(bytes);
        Should.Throw<DicomContentException>(() => DicomFile.Read(bytes, DicomReadOptions.StrictDefault));
    }

    [Theory]
    [MemberData(nameof(GoldenDataSets.Names), MemberType = typeof(GoldenDataSets))]
    public void The_syntax_of_a_bare_data_set_is_seen_from_its_first_element(string name)
    {
        (byte[] bytes, TransferSyntax syntax) = GoldenDataSets.Of(name);

        DicomFile file = DicomFile.Read(bytes);

        (file.TransferSyntax.ExplicitVr, file.TransferSyntax.BigEndian).ShouldBe((syntax.ExplicitVr, syntax.BigEndian));
        file.FileMetaInformation.Count.ShouldBe(0);
        file.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void A_data_set_in_another_syntax_than_named_is_read_as_what_it_is()
    {
        byte[] bytes = File("1.2.840.10008.1.2.1", GoldenDataSets.ImplicitLittleEndian);

        DicomFile file = DicomFile.Read(bytes);

        file.TransferSyntax.ShouldBe(TransferSyntax.ImplicitVRLittleEndian);
        file.DataSet.GetText(Tags.Modality).ShouldBe("CT");
        file.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void An_unchanged_deflated_file_is_written_as_the_sender_deflated_it()
    {
        byte[] plain = GoldenDataSets.Hex("0800 6000 4353 0200 4D52", "1000 1000 504E 0400 415E4220");
        using var deflated = new MemoryStream();
        using (var deflater = new System.IO.Compression.DeflateStream(deflated, System.IO.Compression.CompressionLevel.NoCompression, leaveOpen: true))
        {
            deflater.Write(plain);
        }

        byte[] bytes = File("1.2.840.10008.1.2.1.99", deflated.ToArray());
        DicomFile file = DicomFile.Read(bytes);
        file.ToArray().ShouldBe(bytes);

        file.DataSet.SetText(Tags.PatientName, "C^D");
        DicomFile.Read(file.ToArray()).DataSet.GetText(Tags.PatientName).ShouldBe("C^D");
    }

    [Fact]
    public void A_cut_deflated_file_is_refused()
    {
        byte[] plain = DataSetWriter.ToArray(DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian),
            TransferSyntax.DeflatedExplicitVRLittleEndian);
        byte[] bytes = File("1.2.840.10008.1.2.1.99", plain[..(plain.Length / 2)]);

        Should.Throw<DicomContentException>(() => DicomFile.Read(bytes));
    }

    [Fact]
    public void A_wrong_meta_group_length_is_refused_by_a_strict_reader_alone()
    {
        byte[] bytes = File("1.2.840.10008.1.2", GoldenDataSets.ImplicitLittleEndian);
        bytes[140]++;

        DicomFile.Read(bytes).ToArray().ShouldBe(bytes);
        Should.Throw<DicomContentException>(() => DicomFile.Read(bytes, DicomReadOptions.StrictDefault)).Tag.ShouldBe(Tags.FileMetaInformationGroupLength);
    }

    [Fact]
    public void Bytes_that_are_no_DICOM_are_refused()
    {
        foreach (byte[] bytes in (byte[][])[[], [1], "<!DOCTYPE html><html></html>"u8.ToArray(), [.. Enumerable.Repeat((byte)0xFF, 300)]])
        {
            if (Record.Exception(() => DicomFile.Read(bytes)) is { } failure)
            {
                failure.ShouldBeOfType<DicomContentException>();
            }
            else
            {
                bytes.ShouldBeEmpty();
            }
        }
    }

    [Fact]
    public void A_file_cut_anywhere_is_read_or_refused()
    {
        byte[] bytes = File("1.2.840.10008.1.2.1", GoldenDataSets.ExplicitLittleEndian);
        for (int length = 0; length < bytes.Length; length++)
        {
            if (Record.Exception(() => DicomFile.Read(bytes.AsMemory(0, length))) is { } failure)
            {
                failure.ShouldBeOfType<DicomContentException>($"cut at {length}");
            }
        }
    }

    [Fact]
    public void A_file_made_from_a_received_data_set_is_strictly_readable()
    {
        byte[] dataSet = GoldenDataSets.Hex("0800 1600 5549 1A00 312E322E3834302E31303030382E352E312E342E312E312E3200", "0800 1800 5549 0800 312E322E332E3400");

        DicomFile file = DicomFile.ReadDataSet(dataSet, TransferSyntax.ExplicitVRLittleEndian);

        DicomFile.Read(file.ToArray(), DicomReadOptions.StrictDefault).FileMetaInformation.GetText(Tags.MediaStorageSOPInstanceUID).ShouldBe("1.2.3.4");
        Should.Throw<DicomContentException>(() => DicomFile.ReadDataSet(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian));
    }
}
