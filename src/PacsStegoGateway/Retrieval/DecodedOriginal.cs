using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>
/// A compressed original with its frames decoded, for a peer that takes it only uncompressed. One frame at a time is in memory;
/// what is decoded lies in a spool file that goes with this.
/// </summary>
public sealed class DecodedOriginal : IDisposable
{
    /// <summary>Greatest length of the decoded pixel data, in bytes: 512 MiB.</summary>
    public const long MaxPixelBytes = 512L << 20;

    /// <summary>The same for pixel data within a sequence (icons), which is decoded in memory: 16 MiB.</summary>
    private const long MaxNestedPixelBytes = 16L << 20;

    private const int MostInMemory = 1 << 20;

    /// <summary>An Error Comment has 64 characters at most.</summary>
    private const string TooLarge = "Original is compressed, and above 512 MiB when decoded";

    private const string NotDecodable = "Original is compressed, and cannot be decoded here";

    public const string NoRoom = "Original is compressed, and the spool has no room to decode it";

    private static readonly Tag[] OffsetTables = [Tags.ExtendedOffsetTable, Tags.ExtendedOffsetTableLengths, Tags.EncapsulatedPixelDataValueTotalLength];

    private readonly FetchedObject _pixels = new();

    private DecodedOriginal()
    {
    }

    /// <summary>Encoded in the transfer syntax asked for.</summary>
    public ByteSource DataSet { get; private set; } = ByteSource.Empty;

    /// <summary>Decodes all frames, or says why not in words that fit an Error Comment.</summary>
    /// <param name="to">Uncompressed.</param>
    public static (DecodedOriginal? Decoded, string Refusal) Open(OutgoingObject original, TransferSyntax to, Spool spool)
    {
        var decoded = new DecodedOriginal();
        try
        {
            DataSet dataSet = DataSetReader.Read(original.DataSet, original.TransferSyntax).Clone();
            NestedToNative(dataSet, original.TransferSyntax);
            if (dataSet.Find(Tags.PixelData) is { Fragments: not null })
            {
                ToNative(dataSet, original.TransferSyntax, MaxPixelBytes, frame =>
                {
                    if (!spool.HasRoomFor(frame.Length))
                    {
                        throw new IOException("The spool is full.");
                    }

                    decoded._pixels.Append(frame, spool, MostInMemory);
                }, () => decoded._pixels.DataSet);
                if (original.TransferSyntax.Lossy && !dataSet.Contains(Tags.LossyImageCompression))
                {
                    // What the transfer syntax said until now (PS3.3 C.7.6.1.1.5).
                    dataSet.SetText(Tags.LossyImageCompression, "01");
                }
            }

            decoded.DataSet = DataSetWriter.ToSource(dataSet, to);
            return (decoded, "");
        }
        catch (Exception e) when (e is TooLargeException or DicomContentException or PixelCodecRefusedException or IOException)
        {
            decoded.Dispose();
            return e switch
            {
                TooLargeException => (null, TooLarge),
                DicomContentException or PixelCodecRefusedException => (null, NotDecodable),
                _ => (null, NoRoom),
            };
        }
    }

    public void Dispose() => _pixels.Dispose();

    private static void NestedToNative(DataSet dataSet, TransferSyntax from)
    {
        foreach (Element sequence in dataSet.Where(static e => e.Items is { Count: > 0 }).ToList())
        {
            if (!HasEncapsulated(sequence))
            {
                continue;
            }

            List<DataSet> items = [.. sequence.Items!.Select(static i => i.Clone())];
            foreach (DataSet item in items)
            {
                NestedToNative(item, from);
                if (item.Find(Tags.PixelData) is { Fragments: not null })
                {
                    using var pixels = new MemoryStream();
                    ToNative(item, from, MaxNestedPixelBytes, pixels.Write, () => ByteSource.Of(pixels.ToArray()));
                }
            }

            dataSet.Set(Element.Sequence(sequence.Tag, items, sequence.HasUndefinedLength, sequence.Vr));
        }
    }

    private static bool HasEncapsulated(Element sequence) =>
        sequence.Items!.Any(static i => i.Any(static e => e.Fragments is not null || (e.Items is not null && HasEncapsulated(e))));

    private static void ToNative(DataSet dataSet, TransferSyntax from, long most, ByteSource.ChunkAction append, Func<ByteSource> appended)
    {
        var frames = PixelFrames.Open(dataSet, from);
        FrameFormat asked = frames.Format;
        if (asked.FrameLength * frames.Count > most)
        {
            throw new TooLargeException();
        }

        if (frames.Count > 1 && asked.SampleCount * asked.BitsAllocated % 8 != 0)
        {
            throw new DicomContentException("Frames of packed bits that end within a byte are not put together.");
        }

        string? photometric = null;
        for (int i = 0; i < frames.Count; i++)
        {
            PixelFrame frame = frames.Read(i);
            photometric ??= frame.Format.PhotometricInterpretation;
            if (frame.Bytes.Length != asked.FrameLength
                || frame.Format != asked with { PhotometricInterpretation = photometric, IsPlanar = frame.Format.IsPlanar }
                || (frame.Format.IsPlanar && asked.SamplesPerPixel > 1))
            {
                throw new DicomContentException($"Frame {i} is decoded to another format than the first, or than the data set says.");
            }

            append(frame.Bytes.Span);
        }

        if ((asked.FrameLength * frames.Count & 1) != 0)
        {
            append([0]);
        }

        dataSet.Set(Element.Raw(Tags.PixelData, asked.BitsAllocated > 8 ? Vr.OW : Vr.OB, appended()));
        if (photometric != asked.PhotometricInterpretation)
        {
            dataSet.SetText(Tags.PhotometricInterpretation, photometric!);
        }

        if (asked.SamplesPerPixel > 1)
        {
            dataSet.Set(Element.Raw(Tags.PlanarConfiguration, Vr.US, new byte[2]));
        }

        foreach (Tag table in OffsetTables)
        {
            dataSet.Remove(table);
        }
    }

    private sealed class TooLargeException : Exception;
}
