using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>The grayscale pipeline (PS3.4 N.2): modality transformation, VOI, presentation shape.</summary>
internal static class GrayRendering
{
    /// <summary>Above this many stored bits a table of every value would be larger than the frames it serves.</summary>
    private const int MaximumTableBits = 16;

    /// <summary>Renders a frame of one sample a pixel.</summary>
    /// <param name="dataSet">Transformations are read from it.</param>
    /// <param name="frame">The samples.</param>
    /// <param name="index">The frame's number from 0, for functional groups.</param>
    /// <param name="options">Window and bits; size and region are none of its business.</param>
    public static RenderedFrame Render(DataSet dataSet, PixelFrame frame, int index, RenderOptions options)
    {
        int count = (int)frame.Format.PixelCount;
        bool isSigned = frame.Samples != SampleKind.Integer || frame.Format.IsSigned;
        var modality = ModalityTransform.Read(dataSet, index, isSigned);
        double least = frame.Samples == SampleKind.Integer && !isSigned ? 0 : -1;
        VoiTransform voi = options.Window is { } asked ? VoiTransform.Of(asked)
            : VoiTransform.Read(dataSet, index, modality.Apply(least) < 0) ?? VoiTransform.Of(DefaultWindow.Of(dataSet, frame, modality));
        bool isInverse = IsInverse(dataSet, frame);
        int maximum = Levels.MaximumOf(options.BitsPerSample);
        byte[] samples = new byte[count * options.BitsPerSample / 8];
        var reader = new SampleReader(frame);
        if (frame.Samples == SampleKind.Integer && frame.Format.BitsStored <= MaximumTableBits)
        {
            ushort[] table = new ushort[1 << frame.Format.BitsStored];
            for (int field = 0; field < table.Length; field++)
            {
                table[field] = Level(SampleReader.Stored((uint)field, frame.Format));
            }

            if (frame.Format.BitsAllocated == 16 && options.BitsPerSample == 8 && BitConverter.IsLittleEndian)
            {
                Map(MemoryMarshal.Cast<byte, ushort>(frame.Bytes.Span), frame.Format, table, samples);
            }
            else
            {
                for (int i = 0; i < count; i++)
                {
                    Levels.Put(samples, options.BitsPerSample, i, table[reader.Field(i)]);
                }
            }
        }
        else
        {
            for (int i = 0; i < count; i++)
            {
                Levels.Put(samples, options.BitsPerSample, i, Level(reader.Value(i)));
            }
        }

        return new RenderedFrame(frame.Format.Columns, frame.Format.Rows, 1, options.BitsPerSample, samples,
            voi.Window.IsUsable ? voi.Window : null);

        ushort Level(double stored)
        {
            double level = voi.Apply(modality.Apply(stored));
            return Levels.Of(isInverse ? 1 - level : level, maximum);
        }
    }

    /// <summary>The way of nearly every CT and MR: sixteen bits in, eight bits out.</summary>
    private static void Map(ReadOnlySpan<ushort> words, FrameFormat format, ReadOnlySpan<ushort> table, Span<byte> samples)
    {
        int down = format.HighBit + 1 - format.BitsStored;
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = (byte)table[(words[i] >> down) & (table.Length - 1)];
        }
    }

    /// <summary>
    /// MONOCHROME1 shows its least value white, and so does Presentation LUT Shape INVERSE, which every MONOCHROME1 image
    /// that has a shape must say (PS3.3 C.8.11.3.1.1): either is enough, both are not twice.
    /// </summary>
    private static bool IsInverse(DataSet dataSet, PixelFrame frame) =>
        frame.Format.PhotometricInterpretation == "MONOCHROME1" || dataSet.GetText(Tags.PresentationLUTShape) == "INVERSE";
}
