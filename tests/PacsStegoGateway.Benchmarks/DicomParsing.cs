using BenchmarkDotNet.Attributes;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Benchmarks;

/// <summary>Reading and writing a CT of 512 x 512 16-bit samples with about a hundred elements, no disk involved.</summary>
[MemoryDiagnoser]
public class DicomParsing
{
    private byte[] _bytes = [];
    private DataSet _dataSet = new();
    private TransferSyntax _syntax = TransferSyntax.ExplicitVRLittleEndian;

    [Params("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")]
    public string TransferSyntaxUID { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _syntax = TransferSyntax.Of(TransferSyntaxUID);
        _bytes = DataSetWriter.ToArray(SyntheticCT(), _syntax);
        _dataSet = DataSetReader.Read(_bytes, _syntax);
    }

    [Benchmark]
    public DataSet Read() => DataSetReader.Read(_bytes, _syntax);

    [Benchmark]
    public DataSet ReadHead() => DataSetReader.ReadHead(_bytes.AsMemory(0, 8192), _syntax, Tags.PixelData);

    [Benchmark]
    public byte[] Write() => DataSetWriter.ToArray(_dataSet, _syntax);

    private static DataSet SyntheticCT()
    {
        var set = new DataSet();
        foreach (System.Reflection.PropertyInfo property in typeof(Tags).GetProperties())
        {
            var tag = (Tag)property.GetValue(null)!;
            DictionaryEntry entry = DataDictionary.Find(tag)!.Value;
            if (tag.Group is 0x0008 or 0x0010 or 0x0018 or 0x0020 && entry.Vr.IsText() && !entry.Retired && tag.Value % 5 == 0)
            {
                set.Set(Element.Raw(tag, entry.Vr, "1.2.840.113619.2.55"u8.ToArray()));
            }

            if (set.Count == 90)
            {
                break;
            }
        }

        var item = new DataSet();
        item.SetText(Tags.ReferencedSOPClassUID, SopClasses.CTImageStorage);
        item.SetText(Tags.ReferencedSOPInstanceUID, "1.2.3.4");
        set.Set(Element.Sequence(Tags.ReferencedImageSequence, [item]));
        set.Set(Element.UInt16(Tags.SamplesPerPixel, 1));
        set.Set(Element.UInt16(Tags.Rows, 512));
        set.Set(Element.UInt16(Tags.Columns, 512));
        set.Set(Element.UInt16(Tags.BitsAllocated, 16));
        set.Set(Element.UInt16(Tags.BitsStored, 12));
        set.Set(Element.UInt16(Tags.HighBit, 11));
        set.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        byte[] pixels = new byte[512 * 512 * 2];
        new Random(512).NextBytes(pixels);
        set.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
        return set;
    }
}
