using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>One component of a frame header.</summary>
internal readonly record struct JpegComponent(byte Id, int Horizontal, int Vertical, int QuantizationTable);

/// <summary>The frame header of a JPEG or JPEG-LS stream (ITU-T T.81 B.2.2, T.87 C.2.2) and what says which colours it has.</summary>
internal sealed record JpegFrameHeader
{
    /// <summary>The marker: C0 baseline, C1 extended, C2 progressive, C3 lossless, F7 JPEG-LS and so on.</summary>
    public required byte Process { get; init; }

    public required int Precision { get; init; }

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required JpegComponent[] Components { get; init; }

    /// <summary>Reads the content of a SOF segment.</summary>
    /// <exception cref="DicomContentException">Its length or a value is impossible.</exception>
    public static JpegFrameHeader Read(byte marker, ReadOnlySpan<byte> content)
    {
        if (content.Length < 9 || content.Length != 6 + (3 * content[5]))
        {
            throw new DicomContentException($"A JPEG frame header of {content.Length} bytes is impossible.");
        }

        var components = new JpegComponent[content[5]];
        for (int i = 0; i < components.Length; i++)
        {
            ReadOnlySpan<byte> one = content.Slice(6 + (3 * i), 3);
            components[i] = new JpegComponent(one[0], one[1] >> 4, one[1] & 15, one[2]);
            if (components[i].Horizontal is < 1 or > 4 || components[i].Vertical is < 1 or > 4)
            {
                throw new DicomContentException($"Component {i + 1} has the impossible sampling factors {one[1]:X2}.");
            }
        }

        return new JpegFrameHeader
        {
            Process = marker,
            Precision = content[0],
            Rows = BinaryPrimitives.ReadUInt16BigEndian(content[1..]),
            Columns = BinaryPrimitives.ReadUInt16BigEndian(content[3..]),
            Components = components,
        };
    }

    /// <summary>Finds the frame header of a stream.</summary>
    /// <exception cref="DicomContentException">There is none before the first scan.</exception>
    public static JpegFrameHeader Find(ReadOnlySpan<byte> codestream)
    {
        var segments = new JpegSegments(codestream);
        while (segments.Next() && segments.Marker != JpegSegments.StartOfScan)
        {
            if (segments.IsFrameHeader)
            {
                return Read(segments.Marker, segments.Content);
            }
        }

        throw new DicomContentException("The JPEG stream has no frame header before its first scan.");
    }

    /// <summary>Throws unless the stream is a frame of that format: same size, same number of colours, samples that fit.</summary>
    public void Require(FrameFormat format)
    {
        if (Rows != format.Rows || Columns != format.Columns)
        {
            throw new DicomContentException($"The codestream has {Rows} rows and {Columns} columns, the data set says {format.Rows} and {format.Columns}.");
        }

        if (Components.Length != format.SamplesPerPixel)
        {
            throw new DicomContentException($"The codestream has {Components.Length} components, the data set says {format.SamplesPerPixel}.");
        }

        if (Precision < 2 || Precision > format.BitsAllocated)
        {
            throw new DicomContentException($"The codestream has samples of {Precision} bits, the data set allocates {format.BitsAllocated}.");
        }
    }
}
