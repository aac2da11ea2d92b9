using System.Globalization;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Phantoms;

/// <summary>The modules of the CT Image and MR Image IOD (PS3.3 A.3.3, A.4.3), filled in for one slice.</summary>
internal sealed class PhantomModules
{
    /// <summary>Stored value outside the circle of reconstruction of the signed CT series.</summary>
    public const short Padding = -2000;

    private const string DetachedStudyManagement = "1.2.840.10008.3.1.2.3.1";
    private const string ModalityPerformedProcedureStep = "1.2.840.10008.3.1.2.3.3";
    private static readonly Tag PrivateCreator = new(0x0009, 0x0010);

    private readonly PhantomPerson _person;
    private readonly PhantomSeries _series;
    private readonly PhantomRandom _uids;
    private readonly int _slice;
    private readonly int _slices;
    private readonly string _date;
    private readonly TimeOnly _time;
    private readonly DataSet _dataSet = new();

    public PhantomModules(int seed, PhantomPerson person, PhantomSeries series, int slice, int slices)
    {
        _person = person;
        _series = series;
        _slice = slice;
        _slices = slices;
        _uids = new PhantomRandom(seed, "uids");
        _date = person.StudyDate.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        _time = new TimeOnly(10, 14, 5).AddMinutes(series.Number * 4);
    }

    private bool IsCT => _series.Modality == "CT";

    private string StudyUID => _uids.UID("study " + _series.Modality);

    /// <param name="pixels">One frame, or all of them.</param>
    /// <param name="frames">Number of Frames; left out when there is one.</param>
    public DataSet Build(ByteSource pixels, int frames = 1)
    {
        _dataSet.SetText(Tags.SpecificCharacterSet, IsCT ? "ISO_IR 100" : "ISO_IR 192");
        Patient();
        Study();
        SeriesAndEquipment();
        Image();
        if (IsCT)
        {
            CT();
        }
        else
        {
            MR();
        }

        if (frames > 1)
        {
            _dataSet.SetText(Tags.NumberOfFrames, Number(frames));
        }

        Pixels(pixels);
        PrivateGroup();
        return _dataSet;
    }

    private string SopInstanceUID(int slice) => _uids.UID($"{_series.Folder} {slice}");

    private string Time(double seconds) => _time.Add(TimeSpan.FromSeconds(seconds)).ToString("HHmmss.ffffff", CultureInfo.InvariantCulture);

    private void Patient()
    {
        Text(_dataSet,
            (Tags.PatientName, _person.Name),
            (Tags.PatientID, _person.PatientID),
            (Tags.IssuerOfPatientID, _person.Issuer),
            (Tags.PatientBirthDate, _person.BirthDate),
            (Tags.PatientBirthTime, "043000"),
            (Tags.PatientSex, _person.Sex),
            (Tags.OtherPatientNames, _person.BirthName),
            (Tags.PatientAge, _person.Age),
            (Tags.PatientSize, "1.74"),
            (Tags.PatientWeight, "71.5"),
            (Tags.PatientAddress, _person.Address),
            (Tags.PatientTelephoneNumbers, _person.Telephone),
            (Tags.Occupation, "Lighthouse crew"),
            (Tags.AdditionalPatientHistory, $"Seen by {_person.Referring.Split('^')[0]}, complains of vague discomfort."),
            (Tags.PatientComments, $"Contact sister of {_person.Name.Split('^')[0]} before discharge."));
        Sequence(_dataSet, Tags.OtherPatientIDsSequence, item => Text(item,
            (Tags.PatientID, _person.OtherPatientID),
            (Tags.IssuerOfPatientID, "VELARIUS-INSURANCE"),
            (Tags.TypeOfPatientID, "TEXT")));
    }

    private void Study()
    {
        Text(_dataSet,
            (Tags.StudyInstanceUID, StudyUID),
            (Tags.StudyDate, _date),
            (Tags.StudyTime, Time(-360)),
            (Tags.StudyID, "ST" + _person.PatientID[^4..]),
            (Tags.AccessionNumber, "ACC" + _person.PatientID[^6..] + (IsCT ? "C" : "M")),
            (Tags.StudyDescription, IsCT ? "CT thorax and abdomen" : "MR abdomen and head"),
            (Tags.ReferringPhysicianName, _person.Referring),
            (Tags.PhysiciansOfRecord, _person.Reading),
            (Tags.RequestingPhysician, _person.Referring),
            (Tags.RequestedProcedureDescription, "Cross-sectional imaging"),
            (Tags.AdmissionID, "ADM-" + _person.PatientID[^5..]));
        Sequence(_dataSet, Tags.ReferringPhysicianIdentificationSequence, item =>
        {
            Text(item,
                (Tags.PersonAddress, _person.HospitalAddress),
                (Tags.PersonTelephoneNumbers, _person.Telephone),
                (Tags.InstitutionName, _person.Hospital));
            Code(item, Tags.PersonIdentificationCodeSequence, "P-0417", "99VELARIUS", _person.Referring.Split('^')[0]);
        });
        Sequence(_dataSet, Tags.ReferencedStudySequence, item => Text(item,
            (Tags.ReferencedSOPClassUID, DetachedStudyManagement),
            (Tags.ReferencedSOPInstanceUID, StudyUID)));
        Code(_dataSet, Tags.ProcedureCodeSequence, IsCT ? "CTTHOAB" : "MRABHE", "99VELARIUS", "Cross-sectional imaging");
    }

    private void SeriesAndEquipment()
    {
        string step = "PPS" + _person.PatientID[^5..];
        Text(_dataSet,
            (Tags.Modality, _series.Modality),
            (Tags.SeriesInstanceUID, _uids.UID("series " + _series.Folder)),
            (Tags.SeriesNumber, Number(_series.Number)),
            (Tags.SeriesDate, _date),
            (Tags.SeriesTime, Time(0)),
            (Tags.SeriesDescription, _series.Description),
            (Tags.ProtocolName, _series.Description + " routine"),
            (Tags.BodyPartExamined, _series.BodyPart),
            (Tags.PatientPosition, "HFS"),
            (Tags.PerformingPhysicianName, _person.Performing),
            (Tags.NameOfPhysiciansReadingStudy, _person.Reading),
            (Tags.OperatorsName, _person.Operator),
            (Tags.PerformedProcedureStepStartDate, _date),
            (Tags.PerformedProcedureStepStartTime, Time(-120)),
            (Tags.PerformedProcedureStepID, step),
            (Tags.PerformedProcedureStepDescription, _series.Description),
            (Tags.FrameOfReferenceUID, _uids.UID("frame of reference " + _series.Modality)),
            (Tags.PositionReferenceIndicator, ""),
            (Tags.Manufacturer, "Phantom Imaging Works"),
            (Tags.InstitutionName, _person.Hospital),
            (Tags.InstitutionAddress, _person.HospitalAddress),
            (Tags.InstitutionalDepartmentName, "Radiology West"),
            (Tags.StationName, IsCT ? "VELCT03" : "VELMR01"),
            (Tags.ManufacturerModelName, IsCT ? "Tomograph 64" : "Spinner 1.5"),
            (Tags.DeviceSerialNumber, IsCT ? "SN-448120" : "SN-731066"),
            (Tags.SoftwareVersions, "PHANTOM 1"));
        Sequence(_dataSet, Tags.ReferencedPerformedProcedureStepSequence, item => Text(item,
            (Tags.ReferencedSOPClassUID, ModalityPerformedProcedureStep),
            (Tags.ReferencedSOPInstanceUID, _uids.UID("step " + _series.Folder))));
        Sequence(_dataSet, Tags.RequestAttributesSequence, item =>
        {
            Text(item,
                (Tags.RequestedProcedureID, "RP" + _person.PatientID[^5..]),
                (Tags.ScheduledProcedureStepID, "SPS" + _person.PatientID[^5..]),
                (Tags.ScheduledProcedureStepDescription, "Requested by " + _person.Referring.Split('^')[0]));
            Code(item, Tags.ScheduledProtocolCodeSequence, "ROUTINE", "99VELARIUS", "Routine");
        });
    }

    private void Image()
    {
        double pixel = _series.FieldOfView / _series.Size;
        double corner = (pixel / 2) - (_series.FieldOfView / 2);
        double z = -_series.Spacing * _slice;
        Text(_dataSet,
            (Tags.SOPClassUID, _series.SopClassUID),
            (Tags.SOPInstanceUID, SopInstanceUID(_slice)),
            (Tags.InstanceCreationDate, _date),
            (Tags.InstanceCreationTime, Time(_slice + 20)),
            (Tags.ImageType, IsCT ? @"ORIGINAL\PRIMARY\AXIAL" : @"ORIGINAL\PRIMARY\OTHER"),
            (Tags.AcquisitionNumber, "1"),
            (Tags.InstanceNumber, Number(_slice + 1)),
            (Tags.AcquisitionDate, _date),
            (Tags.AcquisitionTime, Time(_slice)),
            (Tags.ContentDate, _date),
            (Tags.ContentTime, Time(_slice + 10)),
            (Tags.ImageComments, $"Slice of {_person.Name.Split('^')[0]}"),
            (Tags.SliceThickness, Number(_series.Spacing)),
            (Tags.SliceLocation, Number(z)),
            (Tags.ImagePositionPatient, $@"{Number(corner)}\{Number(corner)}\{Number(z)}"),
            (Tags.ImageOrientationPatient, @"1\0\0\0\1\0"),
            (Tags.PixelSpacing, $@"{Number(pixel)}\{Number(pixel)}"));
        if (_slices > 1)
        {
            Sequence(_dataSet, Tags.ReferencedImageSequence, item => Text(item,
                (Tags.ReferencedSOPClassUID, _series.SopClassUID),
                (Tags.ReferencedSOPInstanceUID, SopInstanceUID(_slice == 0 ? 1 : 0))));
        }
    }

    private void CT() => Text(_dataSet,
        (Tags.KVP, "120"),
        (Tags.DataCollectionDiameter, "500"),
        (Tags.ReconstructionDiameter, Number(_series.FieldOfView)),
        (Tags.DistanceSourceToDetector, "1040"),
        (Tags.DistanceSourceToPatient, "570"),
        (Tags.GantryDetectorTilt, "0"),
        (Tags.TableHeight, "152"),
        (Tags.RotationDirection, "CW"),
        (Tags.ExposureTime, "500"),
        (Tags.XRayTubeCurrent, "310"),
        (Tags.Exposure, "155"),
        (Tags.FilterType, "BODY"),
        (Tags.ConvolutionKernel, "B30f"),
        (Tags.RescaleIntercept, "-1024"),
        (Tags.RescaleSlope, "1"),
        (Tags.RescaleType, "HU"),
        (Tags.WindowCenter, _series.BodyPart == "CHEST" ? "-500" : "50"),
        (Tags.WindowWidth, _series.BodyPart == "CHEST" ? "1500" : "400"));

    private void MR() => Text(_dataSet,
        (Tags.ScanningSequence, _series.BodyPart == "HEAD" ? "SE" : "GR"),
        (Tags.SequenceVariant, "SP"),
        (Tags.ScanOptions, "PFP"),
        (Tags.MRAcquisitionType, "2D"),
        (Tags.SequenceName, "*t1"),
        (Tags.RepetitionTime, "520"),
        (Tags.EchoTime, "8.9"),
        (Tags.NumberOfAverages, "2"),
        (Tags.ImagingFrequency, "63.67"),
        (Tags.ImagedNucleus, "1H"),
        (Tags.EchoNumbers, "1"),
        (Tags.MagneticFieldStrength, "1.5"),
        (Tags.SpacingBetweenSlices, Number(_series.Spacing)),
        (Tags.EchoTrainLength, "1"),
        (Tags.PercentSampling, "100"),
        (Tags.PercentPhaseFieldOfView, "100"),
        (Tags.PixelBandwidth, "150"),
        (Tags.FlipAngle, "70"),
        (Tags.SAR, "0.41"),
        (Tags.InPlanePhaseEncodingDirection, "ROW"),
        (Tags.WindowCenter, "550"),
        (Tags.WindowWidth, "1200"));

    private void Pixels(ByteSource pixels)
    {
        ushort stored = (ushort)(_series.IsSigned ? 16 : 12);
        _dataSet.Set(Element.UInt16(Tags.SamplesPerPixel, 1));
        _dataSet.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        _dataSet.Set(Element.UInt16(Tags.Rows, (ushort)_series.Size));
        _dataSet.Set(Element.UInt16(Tags.Columns, (ushort)_series.Size));
        _dataSet.Set(Element.UInt16(Tags.BitsAllocated, 16));
        _dataSet.Set(Element.UInt16(Tags.BitsStored, stored));
        _dataSet.Set(Element.UInt16(Tags.HighBit, (ushort)(stored - 1)));
        _dataSet.Set(Element.UInt16(Tags.PixelRepresentation, (ushort)(_series.IsSigned ? 1 : 0)));
        if (_series.IsSigned)
        {
            _dataSet.Set(Element.UInt16(Tags.PixelPaddingValue, unchecked((ushort)Padding), Vr.SS));
        }

        _dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
    }

    /// <summary>What scanners repeat in their own words, where a de-identifier that knows only the standard overlooks it.</summary>
    private void PrivateGroup()
    {
        _dataSet.Set(Element.Text(PrivateCreator, Vr.LO, "PHANTOM IMAGING 1.0"));
        _dataSet.Set(Element.Text(new Tag(0x0009, 0x1001), Vr.LO, _person.PatientID));
        _dataSet.Set(Element.Text(new Tag(0x0009, 0x1002), Vr.PN, _person.Name, _dataSet.Encoding));
        var item = new DataSet { Parent = _dataSet, HasUndefinedLength = _series.UsesUndefinedLength };
        item.Set(Element.Text(PrivateCreator, Vr.LO, "PHANTOM IMAGING 1.0"));
        item.Set(Element.Text(new Tag(0x0009, 0x1004), Vr.LO, _person.Hospital, _dataSet.Encoding));
        _dataSet.Set(Element.Sequence(new Tag(0x0009, 0x1003), [item], _series.UsesUndefinedLength));
    }

    private void Sequence(DataSet parent, Tag tag, Action<DataSet> fill)
    {
        // The parent comes first: its character set decides how the item's text is encoded.
        var item = new DataSet { Parent = parent, HasUndefinedLength = _series.UsesUndefinedLength };
        fill(item);
        parent.Set(Element.Sequence(tag, [item], _series.UsesUndefinedLength));
    }

    private void Code(DataSet parent, Tag tag, string value, string scheme, string meaning) => Sequence(parent, tag, item => Text(item,
        (Tags.CodeValue, value),
        (Tags.CodingSchemeDesignator, scheme),
        (Tags.CodeMeaning, meaning)));

    private static void Text(DataSet dataSet, params ReadOnlySpan<(Tag Tag, string Text)> values)
    {
        foreach ((Tag tag, string text) in values)
        {
            dataSet.SetText(tag, text);
        }
    }

    /// <summary>A decimal string of at most 16 characters (PS3.5 6.2).</summary>
    private static string Number(double value) => Math.Round(value, 6).ToString("0.######", CultureInfo.InvariantCulture);
}
